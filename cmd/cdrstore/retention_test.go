package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/config"
	"github.com/cdrstore/cdrstore/internal/store"
)

func TestAges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for age, want := range map[string]string{
		"90d": "2026-08-23T12", "36h": "2026-11-20T00", "24h": "2026-11-20T12", "1d": "2026-11-20T12", "2y": "2024-11-21T12",
		"2w": "2026-11-07T12", "6mo": "2026-05-21T12", "P90D": "2026-08-23T12", "P6M": "2026-05-21T12", "P2Y": "2024-11-21T12", "PT48H": "2026-11-19T12",
	} {
		at, err := ago(age, now)
		if got := at.Format("2006-01-02T15"); err != nil || got != want {
			t.Errorf("%s ago: %s, %v; want %s", age, got, err, want)
		}
	}
	for _, age := range []string{"", "90", "d", "-1d", "1.5d", "90 d", "12h", "0d", "5m", "123456d", "P", "P90", "1y2mo"} {
		if at, err := ago(age, now); err == nil {
			t.Errorf("%q is taken for the age %s", age, at)
		}
	}
}

func TestCutoffs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ older, forget, want string }{
		{"", "", "--older-than: say"}, {"x", "", "--older-than"}, {"90d", "x", "--forget-after"}, {"90d", "30d", "shorter"}, {"90d", "90d", ""}, {"90d", "2y", ""},
	} {
		_, _, err := cutoffs(c.older, c.forget, time.Now())
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q %q: %v, want %q", c.older, c.forget, err, c.want)
		}
	}
	if before, forget, err := cutoffs("1d", "", time.Now()); err != nil || before.IsZero() || !forget.IsZero() {
		t.Errorf("%s, %s, %v: keys are to stay", before, forget, err)
	}
}

func TestEraseWantsEmptySpool(t *testing.T) {
	t.Parallel()
	for n, fails := range map[int64]bool{0: false, 3: true} {
		err := wantNothingSpooled(config.Config{}, func(config.Config) (int64, error) { return n, nil })
		if (err != nil) != fails {
			t.Errorf("%d deliveries: %v", n, err)
		}
	}
	broken := errors.New("no such disk")
	if err := wantNothingSpooled(config.Config{}, func(config.Config) (int64, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}

func TestErasedIsAnErrorWhenSomethingStays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		erased store.Erased
		fails  bool
	}{{store.Erased{Calls: 3}, false}, {store.Erased{Kept: 1}, true}, {store.Erased{Billed: 1}, true}, {store.Erased{Unsearched: 1}, true}} {
		if err := printErased(c.erased, false); (err != nil) != c.fails {
			t.Errorf("%+v: %v", c.erased, err)
		}
	}
}
