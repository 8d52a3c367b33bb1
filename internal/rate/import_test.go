package rate_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
	"github.com/cdrstore/cdrstore/internal/rate"
)

const header = "deck,prefix,valid_from,price_per_minute,currency\n"

func TestImportUnpacks(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte("\xef\xbb\xbf" + strings.ReplaceAll(header+"default,44,2026-01-01,0.01,USD\n", ",", "\t"))); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	whole := zipped.Bytes()
	if _, err := rate.Import(t.Context(), pool, bytes.NewReader(whole[:len(whole)-4]), rate.Options{}, ignore); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file without its end: %v", err)
	}
	if got := list(t, pool); strings.Count(got, "\n") != 1 {
		t.Errorf("it leaves\n%s", got)
	}
	if i, err := rate.Import(t.Context(), pool, iotest.OneByteReader(bytes.NewReader(whole)), rate.Options{}, ignore); err != nil || i.Added != 1 {
		t.Errorf("%+v, %v", i, err)
	}
}

// TestImportEndsWithTheFile reads a file that breaks off, and a line without an end.
func TestImportEndsWithTheFile(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	good := header + "default,44,2026-01-01,0.01,USD\n"
	broken := errors.New("the disk is gone")
	for want, lines := range map[string]string{"read the file:": "", "after 5001 lines": strings.Repeat("default,44,2026-01-01,0.01,USD\n", 5000)} {
		_, err := rate.Import(t.Context(), pool, io.MultiReader(strings.NewReader(good+lines), iotest.ErrReader(broken)), rate.Options{}, ignore)
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), want) {
			t.Errorf("broken off: %v, want %q", err, want)
		}
	}
	endless := io.MultiReader(strings.NewReader(good+`default,45,2026-01-01,"`), zeros{})
	_, err := rate.Import(t.Context(), pool, endless, rate.Options{}, ignore)
	if err == nil || !strings.Contains(err.Error(), "quotation mark") {
		t.Errorf("endless: %v", err)
	}
	if got := list(t, pool); strings.Count(got, "\n") != 1 {
		t.Errorf("they leave\n%s", got)
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// TestImportsAtOnce gives one prefix a rate of every day, each from another file.
func TestImportsAtOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var wg sync.WaitGroup
	for day := 1; day <= 8; day++ {
		wg.Go(func() {
			text := fmt.Sprintf("%sdefault,44,2026-01-%02d,0.01,USD\n", strings.Replace(header, "valid_from", "valid_from,valid_to", 1), day)
			text = strings.Replace(text, ",0.01", fmt.Sprintf(",2026-01-%02d,0.01", day+1), 1)
			if i, err := rate.Import(t.Context(), pool, strings.NewReader(text), rate.Options{}, ignore); err != nil || i.Added != 1 {
				t.Errorf("%+v, %v", i, err)
			}
		})
	}
	wg.Wait()
	text := header + "default,44,2026-01-09,0.01,USD\n"
	var added [4]int
	for n := range added {
		wg.Go(func() {
			i, err := rate.Import(t.Context(), pool, strings.NewReader(text), rate.Options{}, ignore)
			if err != nil {
				t.Error(err)
			}
			added[n] = i.Added
		})
	}
	wg.Wait()
	if sum := added[0] + added[1] + added[2] + added[3]; sum != 1 {
		t.Errorf("one rate was added %d times", sum)
	}
}

// TestListReadsInPages lists more than one page, and by deck and prefix.
func TestListReadsInPages(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	var b strings.Builder
	b.WriteString(header)
	for n := range 2500 {
		fmt.Fprintf(&b, "gold,%d,2026-01-01,0.01,USD\n", 10000+n)
	}
	b.WriteString("silver,100,2026-01-01,0.01,USD\nsilver,,2026-01-01,0.01,USD\n")
	seen := 0
	if i, err := rate.Import(t.Context(), pool, strings.NewReader(b.String()), rate.Options{}, func(n int) { seen = n }); err != nil || i.Lines != 2502 || seen != 2502 {
		t.Fatalf("%+v, %v; %d lines seen", i, err, seen)
	}
	for _, c := range []struct {
		deck, prefix string
		want         int
	}{{"", "", 2502}, {"gold", "", 2500}, {"gold", "101", 100}, {"", "100", 101}, {"silver", "", 2}, {"bronze", "", 0}} {
		keys := map[string]bool{}
		err := rate.List(t.Context(), pool, c.deck, c.prefix, func(r rate.Rate) error { keys[r.Deck+" "+r.Prefix] = true; return nil })
		if err != nil || len(keys) != c.want {
			t.Errorf("%q %q: %d rates, %v; want %d", c.deck, c.prefix, len(keys), err, c.want)
		}
	}
	full := errors.New("full")
	if err := rate.List(t.Context(), pool, "", "", func(rate.Rate) error { return full }); !errors.Is(err, full) {
		t.Errorf("got %v", err)
	}
	if _, _, err := rate.SetTariff(t.Context(), pool, rate.Tariff{Calls: rate.Calls{Trunk: "t"}, Deck: "bronze"}); err != nil {
		t.Fatal(err)
	}
	decks, err := rate.Decks(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	want := "[bronze 0 0  1] [default 0 0  0] [gold 2500 2500 USD 0] [silver 2 2 USD 0] "
	got := ""
	for _, d := range decks {
		got += fmt.Sprintf("[%s %d %d %s %d] ", d.Name, d.Rates, d.ValidNow, d.Currencies, d.Tariffs)
	}
	if got != want {
		t.Errorf("decks: got %s, want %s", got, want)
	}
}

// TestImportNotesClosedPeriods: prices of closed periods never change silently.
func TestImportNotesClosedPeriods(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	if _, err := pool.Exec(t.Context(), `INSERT INTO period (side, name, tz, from_at, to_at, closed_at, lines, digest, lines_digest)
		VALUES ('price', '2026-05', 'UTC', '2026-05-01Z', '2026-06-01Z', now(), 0, '0', '0')`); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file    string
		replace bool
		noted   bool
	}{
		{"default,44,2026-06-01,1,USD\n", false, false},
		{"default,44,2026-05-31,2,USD\n", false, true},
		{"default,44,2026-05-31,2,USD\n", false, false},
		{"default,44,2026-07-01,3,USD\n", true, true},
		{"default,44,2026-07-01,3,USD\n", true, false},
	} {
		i, err := rate.Import(t.Context(), pool, strings.NewReader(header+c.file), rate.Options{Replace: c.replace}, ignore)
		if err != nil || (i.Note != "") != c.noted {
			t.Errorf("%s: %+v, %v", c.file, i, err)
		}
	}
	if _, doubts, err := rate.SetTariff(t.Context(), pool, rate.Tariff{Deck: "default", ValidFrom: dayAt(100)}); err != nil || len(doubts) != 1 {
		t.Errorf("a tariff from within it: %q, %v", doubts, err)
	}
	if _, doubts, err := rate.SetTariff(t.Context(), pool, rate.Tariff{Deck: "default", ValidFrom: dayAt(200)}); err != nil || len(doubts) != 0 {
		t.Errorf("a tariff after it: %q, %v", doubts, err)
	}
}
