package chaos

import (
	"testing"
	"time"
)

// TestOutages takes the database away in every way there is, under load. All is
// answered 200 meanwhile, and drained afterwards, also under load.
func TestOutages(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	line, url := newProxy(t, d.url())
	s := settings{database: url, dir: t.TempDir(), more: []string{"CDRSTORE_LATE=500ms"}}
	r := start(t, s)
	l := startLoad(t, 8, r)
	outages := []struct {
		name  string
		begin func() (end func())
	}{
		{"stopped", func() func() { d.stop(); return d.start }},
		{"killed", func() func() { d.kill(); return d.start }},
		{"stalled", d.stall},
		{"out of connections", d.exhaust},
		{"read-only", d.readOnly},
		{"cut off", line.cut},
	}
	for range either(1, 3) {
		for _, o := range outages {
			outage(t, o.name, l, r, o.begin)
		}
	}
	l.stop()
	r.drained(t)
	if c := l.now(); c.acknowledged != c.deliveries {
		t.Errorf("%d of %d deliveries were acknowledged, want all", c.acknowledged, c.deliveries)
	}
	l.check(t, s)
}

// outage takes the database away, has many deliveries spooled and gives it back.
func outage(t *testing.T, name string, l *load, r *receiver, begin func() func()) {
	t.Helper()
	wantMore(t, l, "stored before it is "+name, 100, counts.stored)
	end := begin()
	away := time.Now()
	wantMore(t, l, "spooled while it is "+name, either(300, 5000), func(c counts) int { return c.spooled })
	// Not at every moment: with connections used up the one that is left works.
	eventually(t, time.Minute, "readyz says spooling while it is "+name, func() bool {
		state := r.ready(t)
		if state.Code != 200 {
			t.Errorf("%s: readyz says %+v, want 200", name, state)
		}
		return state.Status == "spooling"
	})
	end()
	back := time.Now()
	waiting := r.ready(t).Deliveries
	r.drained(t)
	took := time.Since(back)
	t.Logf("%s for %v: %d deliveries waited, drained under load after %v: %.0f/s",
		name, back.Sub(away).Round(time.Millisecond), waiting, took.Round(time.Millisecond), float64(waiting)/took.Seconds())
}

// wantMore waits until the load has had so many more answers of a kind.
func wantMore(t *testing.T, l *load, what string, n int, of func(counts) int) {
	t.Helper()
	want := of(l.now()) + n
	defer func() {
		if t.Failed() {
			t.Logf("until then: %+v", l.now())
		}
	}()
	eventually(t, time.Minute, what, func() bool { return of(l.now()) >= want })
}

// TestKilledWhileSpooling kills the receiver while the database is away, and
// again and again while it drains what three processes have spooled.
func TestKilledWhileSpooling(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	s := settings{database: d.url(), dir: t.TempDir()}
	r := start(t, s)
	l := startLoad(t, 8, r)
	wantMore(t, l, "stored", 100, counts.stored)
	hurry := d.slow()
	d.stop()
	for range 3 {
		wantMore(t, l, "spooled", either(700, 4000), func(c counts) int { return c.spooled })
		r.kill()
		r = start(t, s)
		l.aim(r)
	}
	l.stop()
	waiting := r.ready(t).Deliveries
	t.Logf("%d deliveries wait", waiting)
	d.start()
	kills := 0
	for ; kills < either(3, 12); kills++ {
		left := waiting
		eventually(t, time.Minute, "draining", func() bool {
			if now := r.ready(t); now.Code == 200 {
				left = now.Deliveries
			}
			return left < waiting
		})
		r.kill()
		if left == 0 {
			break
		}
		waiting = left
		r = start(t, s)
	}
	if kills < 2 {
		t.Errorf("killed %d times while draining: that was too fast", kills)
	}
	hurry()
	r.kill()
	r = start(t, s)
	r.drained(t)
	t.Logf("killed 3 times while spooling, %d times while draining", kills)
	l.check(t, s)
}

// TestStartWithoutDatabase starts the receiver before the database, which is
// empty when it comes.
func TestStartWithoutDatabase(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.do(d.connectTo("postgres"), "DROP DATABASE cdrstore WITH (FORCE)", "CREATE DATABASE cdrstore")
	d.stop()
	s := settings{database: d.url(), dir: t.TempDir()}
	begin := time.Now()
	r := start(t, s)
	t.Logf("takes deliveries %v after its start", time.Since(begin).Round(time.Millisecond))
	l := startLoad(t, 8, r)
	wantMore(t, l, "spooled", either(300, 5000), func(c counts) int { return c.spooled })
	if state := r.ready(t); state.Code != 200 || state.Status != "spooling" {
		t.Errorf("readyz says %+v, want 200 and spooling", state)
	}
	d.start()
	wantMore(t, l, "stored", 200, counts.stored)
	l.stop()
	r.drained(t)
	if c := l.now(); c.acknowledged != c.deliveries {
		t.Errorf("%d of %d deliveries were acknowledged, want all", c.acknowledged, c.deliveries)
	}
	l.check(t, s)
}
