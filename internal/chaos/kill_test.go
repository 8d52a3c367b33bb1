package chaos

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

// TestKilledReceiver kills the receiver at random moments under load and starts
// it again on the same directory and database.
func TestKilledReceiver(t *testing.T) {
	t.Parallel()
	s := settings{database: pgtest.New(t), dir: t.TempDir()}
	r := start(t, s)
	l := startLoad(t, 16, r)
	rounds := either(3, 30)
	for range rounds {
		moment := l.now().acknowledged + 1 + rand.IntN(2000)
		eventually(t, time.Minute, "enough acknowledged", func() bool { return l.now().acknowledged >= moment })
		<-time.After(time.Duration(rand.IntN(5000)) * time.Microsecond) // not always just after an answer
		r.kill()
		r = start(t, s)
		l.aim(r)
	}
	after := l.now().acknowledged
	eventually(t, time.Minute, "deliveries taken after the last kill", func() bool { return l.now().acknowledged > after+100 })
	l.stop()
	r.drained(t)
	t.Logf("killed %d times", rounds)
	l.check(t, s)
}
