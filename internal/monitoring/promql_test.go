package monitoring

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// TestPromQL parses every expression of the rules and the dashboards.
func TestPromQL(t *testing.T) {
	t.Parallel()
	n := 0
	parses := func(where, expr string) {
		n++
		if _, err := parser.ParseExpr(expr); err != nil {
			t.Errorf("%s: %v\n%s", where, err, expr)
		}
	}
	for _, r := range rules(t) {
		parses(r.Alert, r.Expr)
		if r.For != "" {
			if _, err := time.ParseDuration(r.For); err != nil {
				t.Errorf("%s: for: %v", r.Alert, err)
			}
		}
	}
	for path, d := range dashboards(t) {
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if q.Expr != "" {
					parses(path+": "+p.Title, strings.NewReplacer("$__rate_interval", "1m", "$source", ".*").Replace(q.Expr))
				}
			}
		}
	}
	if n < 40 {
		t.Errorf("only %d expressions", n)
	}
}

// TestAlerts has Prometheus' own tool check the rules, and what they say of the
// figures in testdata.
func TestAlerts(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("not run: promtool is not installed (Debian: apt-get install prometheus)")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "testdata/alerts_test.yml"}} {
		if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
