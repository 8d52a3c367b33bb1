package chaos

import (
	"os"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestTwoReceivers sends every delivery to two receivers on one database at the
// same moment, so that both always fold the same calls.
func TestTwoReceivers(t *testing.T) {
	t.Parallel()
	s := settings{database: pgtest.New(t), dir: t.TempDir()}
	other := settings{database: s.database, dir: t.TempDir()}
	a, b := start(t, s), start(t, other)
	a.drained(t) // so that nothing is spooled, and each receipt must count exactly once
	b.drained(t)
	l := startLoad(t, 8, a, b)
	wantMore(t, l, "stored", either(3000, 60_000), counts.stored)
	l.stop()
	a.drained(t)
	b.drained(t)
	if c := l.now(); c.acknowledged != c.deliveries {
		t.Errorf("%d of %d deliveries were acknowledged, want all", c.acknowledged, c.deliveries)
	}
	for _, r := range []*receiver{a, b} {
		text, err := os.ReadFile(r.log)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"deadlock", "40P01", "ALARM"} {
			if strings.Contains(string(text), bad) {
				t.Errorf("the log says %s:\n%s", bad, r.logged(10))
			}
		}
	}
	l.check(t, s)
}
