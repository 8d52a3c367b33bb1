package rate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/cdrstore/cdrstore/db"
)

// ErrNoTariff says that there is no tariff for exactly these calls.
var ErrNoTariff = errors.New("there is no tariff for exactly these calls")

// Calls are those that a tariff is for. Empty is any.
type Calls struct {
	Source, Account, Trunk string
	Direction              string // inbound, outbound, internal
}

// String names what is not empty.
func (c Calls) String() string {
	var parts []string
	for _, p := range [][2]string{{"source", c.Source}, {"account", c.Account}, {"trunk", c.Trunk}, {"direction", c.Direction}} {
		if p[1] != "" {
			parts = append(parts, p[0]+" "+p[1])
		}
	}
	if len(parts) == 0 {
		return "all calls"
	}
	return strings.Join(parts, ", ")
}

// Tariff says which deck prices which calls.
type Tariff struct {
	Calls
	Deck string
}

// Tariffs lists them, narrower ones first: of those that fit a call the first counts.
func Tariffs(ctx context.Context, pool *pgxpool.Pool) ([]Tariff, error) {
	rows, err := db.New(pool).Tariffs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read tariffs: %w", err)
	}
	tariffs := make([]Tariff, len(rows))
	for i, r := range rows {
		tariffs[i] = Tariff{Calls{r.Source, r.Account, r.Trunk, r.Direction}, r.Deck}
	}
	return tariffs, nil
}

// SetTariff adds a tariff, or gives the one for exactly these calls another
// deck. It returns what looks wrong and may be right: a deck without rates, a
// source of which nothing is known.
func SetTariff(ctx context.Context, pool *pgxpool.Pool, t Tariff) (doubts []string, err error) {
	if t.Deck == "" {
		return nil, errors.New("set a tariff: no deck is named")
	}
	if !slices.Contains([]string{"", "inbound", "outbound", "internal"}, t.Direction) {
		return nil, fmt.Errorf("set a tariff: direction %q is not inbound, outbound or internal", t.Direction)
	}
	q := db.New(pool)
	err = q.SetTariff(ctx, db.SetTariffParams{Source: t.Source, Account: t.Account, Trunk: t.Trunk, Direction: t.Direction, Deck: t.Deck})
	if err != nil {
		return nil, fmt.Errorf("set a tariff: %w", err)
	}
	known, err := q.TariffKnown(ctx, db.TariffKnownParams{Deck: t.Deck, Source: t.Source})
	if err != nil {
		return nil, fmt.Errorf("look for the deck and source of a tariff: %w", err)
	}
	if !known.Deck {
		doubts = append(doubts, fmt.Sprintf("deck %s has no rates yet: these calls have no price until it has", t.Deck))
	}
	if t.Source != "" && !known.Source {
		doubts = append(doubts, fmt.Sprintf("source %s is not known: no call fits yet", t.Source))
	}
	return doubts, nil
}

// RemoveTariff removes the tariff for exactly these calls; ErrNoTariff when
// there is none.
func RemoveTariff(ctx context.Context, pool *pgxpool.Pool, c Calls) error {
	n, err := db.New(pool).RemoveTariff(ctx, db.RemoveTariffParams(c))
	if err != nil {
		return fmt.Errorf("remove a tariff: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", c, ErrNoTariff)
	}
	return nil
}
