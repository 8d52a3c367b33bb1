package table_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/table"
)

func TestCSV(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		`=HYPERLINK("http://x")`: `"'=HYPERLINK(""http://x"")"`, "+1+1": "'+1+1", "-1+1": "'-1+1", "@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "-": "-", "-.": "'-.",
		"-5": "-5", "-0.25": "-0.25", "12": "12", "+442079460123": "+442079460123", "plain": "plain", "": "", "a,b": `"a,b"`,
	} {
		var out strings.Builder
		w := table.NewCSV(&out)
		if err := w.Write([]string{"x", cell}); err != nil {
			t.Fatal(err)
		}
		if w.Flush(); out.String() != "x,"+want+"\n" {
			t.Errorf("%q: %q", cell, out.String())
		}
	}
}

// TestNobodyElseWritesCSV looks through the sources: a writer of its own would not
// guard against formulas.
func TestNobodyElseWritesCSV(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "bin" || d.Name() == "data" || d.Name() == "bench" || strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 2):
			return filepath.SkipDir
		case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "table/csv.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), "csv.NewWriter(") {
			t.Errorf("%s writes CSV without package table", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
