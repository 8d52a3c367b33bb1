package cookbook

import (
	"flag"
	"os"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// update rewrites what the files say with what is true now.
var update = flag.Bool("update", false, "rewrite the answers in docs/cookbook.md and docs/billing.md")

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }
