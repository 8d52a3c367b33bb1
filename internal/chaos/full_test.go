package chaos

import "testing"

// TestSpoolFull fills a spool that may hold little.
func TestSpoolFull(t *testing.T) {
	t.Parallel()
	fill(t, t.TempDir(), "CDRSTORE_SPOOL_SIZE=1MiB")
}

// TestDiskFull fills the disk under a spool that may hold much.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	dir, err := smallDisk(t, either(1, 6)<<20)
	if err != nil {
		t.Skipf("NOT PROVEN HERE: no small disk can be made to be filled (%v); the write errors that the tests of internal/spool inject are all there is", err)
	}
	fill(t, dir)
}

// fill delivers while the database is away until much was refused, and goes on
// while it comes back.
func fill(t *testing.T, dir string, more ...string) {
	t.Helper()
	d := newDatabase(t)
	s := settings{database: d.url(), dir: dir, more: more}
	r := start(t, s)
	l := startLoad(t, 8, r)
	for range either(1, 3) {
		wantMore(t, l, "stored", 100, counts.stored)
		d.stop()
		wantMore(t, l, "refused", 200, func(c counts) int { return c.refused })
		full := r.ready(t)
		d.start()
		wantMore(t, l, "stored again without a restart of the receiver", 100, counts.stored)
		r.drained(t)
		t.Logf("full: readyz %d; drained", full.Code)
		if full.Code != 503 {
			t.Errorf("readyz says %+v while the spool is full, want 503", full)
		}
	}
	l.stop()
	r.drained(t)
	if c := l.now(); c.unanswered > 0 {
		t.Errorf("%d deliveries had no answer", c.unanswered)
	}
	l.check(t, s)
}
