package rate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
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

// Tariff says which deck prices which calls, for a while.
type Tariff struct {
	Calls
	Deck      string
	ValidFrom time.Time // UTC, inclusive; zero: no bound
	ValidTo   time.Time // UTC, exclusive; zero: until further notice
}

// Span names the bounds; it is empty where there are none.
func (t Tariff) Span() string {
	text := ""
	if !t.ValidFrom.IsZero() {
		text = " from " + moment(t.ValidFrom)
	}
	if !t.ValidTo.IsZero() {
		text += " up to " + moment(t.ValidTo)
	}
	return text
}

// Tariffs lists them, narrower ones first: of those that fit a call at its time
// the first is used.
func Tariffs(ctx context.Context, pool *pgxpool.Pool) ([]Tariff, error) {
	rows, err := db.New(pool).Tariffs(ctx)
	if err != nil {
		return nil, fmt.Errorf("read tariffs: %w", err)
	}
	tariffs := make([]Tariff, len(rows))
	for i, r := range rows {
		tariffs[i] = tariffOf(r)
	}
	return tariffs, nil
}

func tariffOf(r db.Tariff) Tariff {
	return Tariff{Calls{r.Source, r.Account, r.Trunk, r.Direction}, r.Deck, momentOf(r.ValidFrom), momentOf(r.ValidTo)}
}

// SetTariff gives exactly these calls a deck for a time. Without ValidTo that is
// until their next tariff begins. An earlier tariff that is valid within that
// time is cut, replaced, or goes on after it. It returns what was set, and what
// looks wrong and may be right: a deck without rates, a source of which nothing
// is known, prices of closed periods that change.
func SetTariff(ctx context.Context, pool *pgxpool.Pool, t Tariff) (set Tariff, doubts []string, err error) {
	switch {
	case t.Deck == "":
		return t, nil, errors.New("set a tariff: no deck is named")
	case !slices.Contains([]string{"", "inbound", "outbound", "internal"}, t.Direction):
		return t, nil, fmt.Errorf("set a tariff: direction %q is not inbound, outbound or internal", t.Direction)
	case !t.ValidTo.IsZero() && !t.ValidFrom.Before(t.ValidTo):
		return t, nil, fmt.Errorf("set a tariff: its end, %s, is not after its beginning, %s", moment(t.ValidTo), moment(t.ValidFrom))
	}
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := q.LockTariffs(ctx); err != nil {
			return err
		}
		if t.ValidTo.IsZero() {
			next, err := q.NextTariff(ctx, db.NextTariffParams{
				Source: t.Source, Account: t.Account, Trunk: t.Trunk, Direction: t.Direction, ValidFrom: boundFrom(t.ValidFrom),
			})
			if err != nil {
				return err
			}
			t.ValidTo = momentOf(next)
		}
		if _, err := take(ctx, q, t); err != nil {
			return err
		}
		return add(ctx, q, t)
	})
	if err != nil {
		return t, nil, fmt.Errorf("set a tariff: %w", err)
	}
	doubts, err = doubtsOf(ctx, pool, t)
	return t, doubts, err
}

func doubtsOf(ctx context.Context, pool *pgxpool.Pool, t Tariff) (doubts []string, err error) {
	q := db.New(pool)
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
	note, err := closedNote(ctx, q, t.ValidFrom)
	if note != "" {
		doubts = append(doubts, note)
	}
	return doubts, err
}

// RemoveTariff removes the tariffs for exactly the calls of t within its time;
// ErrNoTariff when there is none.
func RemoveTariff(ctx context.Context, pool *pgxpool.Pool, t Tariff) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		n, err := take(ctx, db.New(tx), t)
		if err != nil {
			return fmt.Errorf("remove a tariff: %w", err)
		}
		if n == 0 {
			return fmt.Errorf("%s%s: %w", t.Calls, t.Span(), ErrNoTariff)
		}
		return nil
	})
}

// take removes the tariffs of exactly these calls from a time. What they are
// before and after it stays. It returns how many there were.
func take(ctx context.Context, q *db.Queries, t Tariff) (int, error) {
	gone, err := q.TakeTariffs(ctx, db.TakeTariffsParams{
		Source: t.Source, Account: t.Account, Trunk: t.Trunk, Direction: t.Direction,
		ValidFrom: boundFrom(t.ValidFrom), ValidTo: boundTo(t.ValidTo),
	})
	if err != nil {
		return 0, err
	}
	for _, r := range gone {
		before, after := tariffOf(r), tariffOf(r)
		if before.ValidFrom.Before(t.ValidFrom) {
			before.ValidTo = t.ValidFrom
			if err := add(ctx, q, before); err != nil {
				return 0, err
			}
		}
		if !t.ValidTo.IsZero() && (after.ValidTo.IsZero() || after.ValidTo.After(t.ValidTo)) {
			after.ValidFrom = t.ValidTo
			if err := add(ctx, q, after); err != nil {
				return 0, err
			}
		}
	}
	return len(gone), nil
}

func add(ctx context.Context, q *db.Queries, t Tariff) error {
	return q.AddTariff(ctx, db.AddTariffParams{
		Source: t.Source, Account: t.Account, Trunk: t.Trunk, Direction: t.Direction, Deck: t.Deck,
		ValidFrom: boundFrom(t.ValidFrom), ValidTo: boundTo(t.ValidTo),
	})
}

func boundFrom(t time.Time) pgtype.Timestamptz {
	if t.IsZero() {
		return pgtype.Timestamptz{InfinityModifier: pgtype.NegativeInfinity, Valid: true}
	}
	return boundTo(t)
}

func boundTo(t time.Time) pgtype.Timestamptz {
	return pgtype.Timestamptz{Time: t, Valid: !t.IsZero()}
}

// closedNote says that prices from a time on are of closed periods too; empty:
// they are not.
func closedNote(ctx context.Context, q *db.Queries, from time.Time) (string, error) {
	closed, err := q.PricesClosedTo(ctx)
	if err != nil {
		return "", fmt.Errorf("look for closed periods: %w", err)
	}
	if !closed.Valid || !from.Before(closed.Time) {
		return "", nil
	}
	return fmt.Sprintf("periods are closed up to %s: their lines stay, and the next close adjusts what differs (cdrstore period verify --side price)",
		moment(closed.Time)), nil
}
