package monitoring

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// readYAML refuses keys that to does not have.
func readYAML(t *testing.T, path string, to any) {
	t.Helper()
	if err := yaml.UnmarshalWithOptions([]byte(read(t, path)), to, yaml.Strict()); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// readLoosely leaves out keys that to does not have.
func readLoosely(t *testing.T, path string, to any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(read(t, path)), to); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// rule is a rule of alerts.yml.
type rule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	For         string            `yaml:"for"`
	Labels      map[string]string `yaml:"labels"`
	Annotations map[string]string `yaml:"annotations"`
}

func rules(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string `yaml:"name"`
			Rules []rule `yaml:"rules"`
		} `yaml:"groups"`
	}
	readYAML(t, "alerts.yml", &file)
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// dashboard is what the tests look at of a dashboard.
type dashboard struct {
	UID        string  `json:"uid"`
	Title      string  `json:"title"`
	Editable   *bool   `json:"editable"`
	Panels     []panel `json:"panels"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
}

type panel struct {
	ID         int                      `json:"id"`
	Title      string                   `json:"title"`
	Type       string                   `json:"type"`
	Datasource source                   `json:"datasource"`
	Targets    []target                 `json:"targets"`
	Place      struct{ X, Y, W, H int } `json:"gridPos"`
}

type source struct{ Type, UID string }

type target struct {
	Datasource source `json:"datasource"`
	Expr       string `json:"expr"`
	RawSQL     string `json:"rawSql"`
	Format     string `json:"format"`
}

type variable struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Definition string `json:"definition"`
	Datasource source `json:"datasource"`
}

func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	paths, err := filepath.Glob("grafana/dashboards/*.json")
	if err != nil || len(paths) != 2 {
		t.Fatalf("dashboards: %v, %v", paths, err)
	}
	all := map[string]dashboard{}
	for _, path := range paths {
		var d dashboard
		if err := json.Unmarshal([]byte(read(t, path)), &d); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[path] = d
	}
	return all
}

// documented are the metrics of docs/metrics.md by name, with their types.
func documented(t *testing.T) map[string]string {
	t.Helper()
	types := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(cdrstore_[a-z0-9_]+)` \\| ([a-z]+) \\|").FindAllStringSubmatch(read(t, "../../docs/metrics.md"), -1) {
		types[m[1]] = m[2]
	}
	if len(types) < 20 {
		t.Fatalf("docs/metrics.md lists %d metrics", len(types))
	}
	return types
}

// wantDocumented checks the metrics that an expression names.
func wantDocumented(t *testing.T, types map[string]string, where, expr string) {
	t.Helper()
	names := regexp.MustCompile(`\b(cdrstore|go|process)_[a-z0-9_]+`).FindAllString(expr, -1)
	if len(names) == 0 && !strings.Contains(expr, "up{") {
		t.Errorf("%s names no metric: %s", where, expr)
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "cdrstore_") {
			continue // of Prometheus' Go client
		}
		base := name
		for _, suffix := range []string{"_bucket", "_count", "_sum"} {
			if cut, ok := strings.CutSuffix(name, suffix); ok && types[cut] == "histogram" {
				base = cut
			}
		}
		if kind, ok := types[base]; !ok || (kind == "histogram") != (base != name) {
			t.Errorf("%s: %s is not in docs/metrics.md as it is used here", where, name)
		}
	}
}
