package store

import (
	"os"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func amount(text string) cdr.Amount { return decimal.NewNullDecimal(decimal.RequireFromString(text)) }
