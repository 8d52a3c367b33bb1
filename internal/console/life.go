package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// life is the picture of a call: a lane for the call and one for each leg, over
// a scale of time. Places are percents of the width, so that it fits a phone.
type life struct {
	From, To time.Time
	Lanes    []lane
	Scale    []mark
	Height   int // pixels
	Open     bool
	Words    string // the same for those who do not see it
}

type lane struct {
	Name  string // empty: the whole call
	Top   int    // pixels
	Bars  []bar
	Ticks []mark
}

// bar is a stretch of a lane: setup, ringing or talk.
type bar struct {
	Kind        string
	Left, Width float64
	Label       string
}

type mark struct {
	Left   float64
	Label  string
	Anchor string // start, middle or end
	Number int    // of the event
	Kind   string
	Beyond bool // it happened outside of the picture
}

const (
	laneHeight  = 58
	scaleHeight = 26
)

// stretch is the four moments of a call or of a leg; zero: not known.
type stretch struct {
	name                             string
	started, ringing, answered, over time.Time
}

// drawLife draws a call; nil when nothing is known about times. now ends what
// has not ended.
func drawLife(call row, events []event, now time.Time) *life {
	stretches := append([]stretch{callStretch(call)}, legStretches(events)...)
	l := &life{Open: call.text("state") != "ended"}
	for _, s := range stretches {
		l.include(s.started, s.ringing, s.answered, s.over)
	}
	if l.From.IsZero() {
		for i := range events {
			l.include(events[i].at())
		}
	}
	if l.From.IsZero() {
		return nil
	}
	l.reach(events)
	if l.Open && now.After(l.To) && now.Sub(l.From) < 24*time.Hour {
		l.To = now
	}
	if l.To.Sub(l.From) < time.Second {
		l.To = l.From.Add(time.Second)
	}
	for i, s := range stretches {
		l.Lanes = append(l.Lanes, lane{Name: s.name, Top: scaleHeight + i*laneHeight, Bars: l.bars(s), Ticks: l.ticks(events, s.name, i == 0)})
	}
	l.Height = scaleHeight + len(stretches)*laneHeight
	l.Scale = l.scale()
	l.Words = words(stretches, len(events))
	return l
}

func (l *life) include(moments ...time.Time) {
	for _, m := range moments {
		if m.IsZero() {
			continue
		}
		if l.From.IsZero() || m.Before(l.From) {
			l.From = m
		}
		if m.After(l.To) {
			l.To = m
		}
	}
}

// reach takes in the events that lie near; one of the next day would leave
// nothing to see of the call.
func (l *life) reach(events []event) {
	near := max(l.To.Sub(l.From)/2, 5*time.Second)
	from, to := l.From.Add(-near), l.To.Add(near)
	for i := range events {
		if at := events[i].at(); at.After(from) && at.Before(to) {
			l.include(at)
		}
	}
}

func callStretch(call row) stretch {
	at := func(column string) time.Time {
		t, err := time.Parse(time.RFC3339Nano, call.text(column))
		if err != nil {
			return time.Time{} // null
		}
		return t
	}
	return stretch{"", at("started_at"), at("ringing_at"), at("answered_at"), at("ended_at")}
}

// legStretches takes the legs in the order in which they began. What a CDR says of
// a leg goes over what live events say.
func legStretches(events []event) []stretch {
	live, records := map[string]*stretch{}, map[string]*stretch{}
	denied := map[string]bool{}
	for i := range events {
		e := &events[i]
		if e.Leg == "" || !e.Counts {
			continue
		}
		kept := live
		if e.Kind == "cdr" {
			kept = records
		}
		if kept[e.Leg] == nil {
			kept[e.Leg] = &stretch{name: e.Leg}
		}
		unanswered := e.Kind == "cdr" && !slices.Contains([]cdr.Disposition{"", cdr.Unknown, cdr.Answered}, e.facts.Disposition)
		denied[e.Leg] = denied[e.Leg] || unanswered
		kept[e.Leg].add(e, !unanswered)
	}
	var all []stretch
	for leg := range denied {
		l, r := live[leg], records[leg]
		if l == nil {
			l = &stretch{}
		}
		if r == nil {
			r = &stretch{}
		}
		s := stretch{leg, firstOf(r.started, l.started), firstOf(r.ringing, l.ringing), firstOf(r.answered, l.answered), firstOf(r.over, l.over)}
		if denied[leg] {
			s.answered = r.answered
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b stretch) int {
		return cmp.Or(a.first().Compare(b.first()), cmp.Compare(a.name, b.name))
	})
	return all
}

// add takes the earliest moments, and the latest end.
func (s *stretch) add(e *event, answered bool) {
	s.started = earlier(s.started, e.moment(cdr.MomentStarted))
	s.ringing = earlier(s.ringing, e.moment(cdr.MomentRinging))
	if answered {
		s.answered = earlier(s.answered, e.moment(cdr.MomentAnswered))
	}
	if over := e.moment(cdr.MomentEnded); over.After(s.over) {
		s.over = over
	}
}

func (s *stretch) first() time.Time {
	return earlier(earlier(s.started, s.ringing), earlier(s.answered, s.over))
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// bars are what lies between the moments that are known.
func (l *life) bars(s stretch) []bar {
	over := s.over
	if over.IsZero() && l.Open {
		over = l.To
	}
	var bars []bar
	add := func(kind string, from, to time.Time) {
		if !from.IsZero() && to.After(from) {
			bars = append(bars, bar{kind, l.place(from), l.place(to) - l.place(from), kind + " " + spell(to.Sub(from))})
		}
	}
	add("setup", s.started, firstOf(s.ringing, s.answered, over))
	add("ringing", s.ringing, firstOf(s.answered, over))
	add("talk", s.answered, over)
	return bars
}

func firstOf(moments ...time.Time) time.Time {
	for _, m := range moments {
		if !m.IsZero() {
			return m
		}
	}
	return time.Time{}
}

// ticks are the events of a lane. The lane of the call has those of no leg.
func (l *life) ticks(events []event, leg string, whole bool) []mark {
	var ticks []mark
	for i := range events {
		e := &events[i]
		if whole != (e.Leg == "" || !e.Counts) || !whole && e.Leg != leg {
			continue
		}
		beyond := e.at().Before(l.From) || e.at().After(l.To)
		ticks = append(ticks, mark{Left: l.place(e.at()), Number: e.Number, Kind: e.Kind, Beyond: beyond})
	}
	return ticks
}

// place is where a moment stands, in percents of the width.
func (l *life) place(at time.Time) float64 {
	share := float64(at.Sub(l.From)) / float64(l.To.Sub(l.From))
	return 100 * min(1, max(0, share))
}

// scale are round times since the start, six at most.
func (l *life) scale() []mark {
	total := l.To.Sub(l.From)
	step := total
	for _, seconds := range []int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400} {
		if step = time.Duration(seconds) * time.Second; total/step < 6 {
			break
		}
	}
	for total/step >= 6 {
		step *= 2
	}
	var marks []mark
	for at := time.Duration(0); at <= total; at += step {
		m := mark{Left: l.place(l.From.Add(at)), Label: spell(at), Anchor: "middle"}
		switch {
		case m.Left < 4:
			m.Anchor = "start"
		case m.Left > 94:
			m.Anchor = "end"
		}
		marks = append(marks, m)
	}
	return marks
}

// spell writes a stretch of time: 4.2 s, 1:05, 1:02:03.
func spell(d time.Duration) string {
	s := int(d.Seconds())
	switch {
	case d < time.Minute && d%time.Second != 0:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", s)
	case d < time.Hour:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

// words says what the picture shows.
func words(stretches []stretch, events int) string {
	s := stretches[0]
	text := "Times of the call:"
	if ringing := firstOf(s.ringing, s.started); !ringing.IsZero() && !firstOf(s.answered, s.over).IsZero() {
		text += " rang " + spell(firstOf(s.answered, s.over).Sub(ringing)) + ","
	}
	if !s.answered.IsZero() && !s.over.IsZero() {
		text += " talked " + spell(s.over.Sub(s.answered)) + ","
	}
	return fmt.Sprintf("%s %d legs, %d events.", text, len(stretches)-1, events)
}
