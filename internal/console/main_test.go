package console

import (
	"os"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
