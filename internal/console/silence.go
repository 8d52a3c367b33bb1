package console

import (
	"fmt"
	"time"

	"github.com/cdrstore/cdrstore/db"
)

// A source is silent when nothing has come from it for silentGaps times its
// usual gap, and for silentAtLeast.
const (
	silentGaps    = 4
	silentAtLeast = 10 * time.Minute
	fewestCalls   = 5 // with fewer no gap is usual
)

// silenceRule is the rule for who reads the page.
const silenceRule = "A source is called silent when nothing has come from it for more than 4 times its usual gap and at least 10 minutes. " +
	"The usual gap is the average time between its calls over the last 7 days; with fewer than 5 calls none is known."

// word says in plain words how a source does.
type word struct {
	Text string
	Kind string // good, warn or bad: how it is drawn
	Gap  string // the usual gap; empty: not known
}

// speak says how a source does that was last heard at a moment; zero: never.
func speak(r db.ConsoleReceiptsRow, last, now time.Time) word {
	gap, known := usualGap(r, last)
	w := word{}
	if known {
		w.Gap = humane(gap)
		if gap < time.Second {
			w.Gap = "less than 1 s"
		}
	}
	quiet := now.Sub(last)
	switch {
	case last.IsZero():
		w.Text, w.Kind = "nothing has come in the last 7 days", "muted"
	case known && quiet > silentGaps*gap && quiet >= silentAtLeast:
		w.Text, w.Kind = fmt.Sprintf("silent for %s", humane(quiet)), "bad"
	case !known:
		w.Text, w.Kind = "too few calls to tell", "muted"
	default:
		w.Text, w.Kind = "receiving", "good"
	}
	return w
}

// usualGap goes by the longer time of which enough calls are known.
func usualGap(r db.ConsoleReceiptsRow, last time.Time) (time.Duration, bool) {
	calls, first := r.WeekCalls, r.WeekFirst
	if calls < r.DayCalls {
		calls, first = r.DayCalls, r.DayFirst
	}
	if calls < fewestCalls || !first.Valid || !last.After(first.Time) {
		return 0, false
	}
	return last.Sub(first.Time) / time.Duration(calls), true
}
