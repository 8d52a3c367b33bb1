package provider_test

import (
	"flag"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the expectations of testdata anew")
	os.Exit(m.Run())
}
