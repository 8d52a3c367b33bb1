package rate_test

import (
	"flag"
	"os"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

var update = flag.Bool("update", false, "write the expectations of testdata anew")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(pgtest.Run(m))
}
