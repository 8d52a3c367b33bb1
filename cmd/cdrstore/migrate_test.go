package main

import (
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMigrateDistributeFailsWithoutCitus(t *testing.T) {
	t.Setenv("DATABASE_URL", pgtest.New(t))
	cmd := root()
	cmd.SetArgs([]string{"migrate", "distribute"})
	err := cmd.ExecuteContext(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no Citus extension") {
		t.Errorf("got %v", err)
	}
}
