package store

import (
	"log/slog"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestRegister_keepsHowNationalNumbersAreWritten also when the country changes.
func TestRegister_keepsHowNationalNumbersAreWritten(t *testing.T) {
	t.Parallel()
	pool := pgtest.Pool(t)
	s := New(pool, slog.New(slog.DiscardHandler))
	for country, want := range map[string]string{"GB": "GB 44 ^0([0-9]+)$", "US": "US 1 ^(?:1)?([0-9]{10})$", "": ""} {
		if err := s.Register(t.Context(), []Source{{Name: "s", Provider: "wavix", Settings: cdr.Settings{Country: country}}}); err != nil {
			t.Fatal(err)
		}
		var got string
		if err := pool.QueryRow(t.Context(), "SELECT concat_ws(' ', country, calling_code, national_pattern) FROM source").Scan(&got); err != nil || got != want {
			t.Errorf("country %q: got %q, %v; want %q", country, got, err, want)
		}
	}
}
