package wavix

import (
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// onCall reads a live event. Its type decides what is read: W1 prints a
// call_setup with the payload of a playback and with call_answered and
// call_completed of 2023, two years before call_started.
func onCall(f *record.Fields) (cdr.Event, error) {
	callID, err := callKey(f)
	if err != nil {
		return cdr.Event{}, err
	}
	e := cdr.Event{
		CallID: callID, Kind: cdr.KindOther,
		ProviderKind: f.Text("event_type"), OccurredAt: f.Time("event_time"),
	}
	word := strings.ToLower(e.ProviderKind)
	read := reader(word)
	if read == nil {
		return e, nil
	}
	e.Facts = newFacts(f, callID)
	e.Facts.Tag = f.Text("tag")
	e.Facts.StartedAt = f.Time("call_started")
	e.Kind = read(word, newTimeline(f, e.Facts.StartedAt, e.OccurredAt), e.Facts)
	e.Facts.MachineDetected = machine(f, e.Facts)
	return e, nil
}

// machine reads machine_detected as sent, but for a true before anybody, or a
// machine, has answered: that is a placeholder as the times of W1's example are.
func machine(f *record.Fields, facts *cdr.Facts) *bool {
	detected := f.Bool("machine_detected")
	answered := facts.State == cdr.StateAnswered || !facts.AnsweredAt.IsZero()
	if detected != nil && *detected && !answered {
		return nil
	}
	return detected
}

// reader returns what reads the events of a type, nil for a type that is not on
// the pages. in_call_event is the older name of on_call_event (W6).
func reader(word string) func(string, timeline, *cdr.Facts) cdr.Kind {
	switch word {
	case "call_setup":
		return setup
	case "ringing", "early_media":
		return ringing
	case "answered":
		return answered
	case "on_call_event", "in_call_event":
		return midCall
	case "completed":
		return completed
	case "busy", "cancelled", "canceled", "rejected":
		return refused
	}
	return nil
}

func setup(_ string, t timeline, facts *cdr.Facts) cdr.Kind {
	facts.State = cdr.StateStarted
	t.orEvent(facts, &facts.StartedAt, cdr.MomentStarted)
	return cdr.KindStarted
}

func ringing(word string, t timeline, facts *cdr.Facts) cdr.Kind {
	facts.State = cdr.StateRinging
	if word == "early_media" {
		return cdr.KindEarlyMedia
	}
	facts.RingingAt = t.eventTime()
	return cdr.KindRinging
}

func answered(_ string, t timeline, facts *cdr.Facts) cdr.Kind {
	facts.State = cdr.StateAnswered
	facts.AnsweredAt = t.read("call_answered")
	t.orEvent(facts, &facts.AnsweredAt, cdr.MomentAnswered)
	return cdr.KindAnswered
}

// midCall reads what happens within a call. Its payload's status "completed"
// completes a playback, not the call.
func midCall(_ string, t timeline, facts *cdr.Facts) cdr.Kind {
	facts.State = cdr.StateStarted
	facts.AnsweredAt = t.read("call_answered")
	if !facts.AnsweredAt.IsZero() {
		facts.State = cdr.StateAnswered
	}
	payload := t.f.Object("event_payload")
	what := payload.Text("type", "in_call_event") // older: {in_call_event: "collect_completed", in_call_event_data}
	switch {
	case strings.HasPrefix(what, "collect"):
		return cdr.KindDTMF
	case what == "audio" || payload.Object("in_call_event_data").Has("playback_id"):
		return cdr.KindPlayback
	}
	return cdr.KindOther
}

// completed ends a call. Without call_answered it does not say how the call came
// out.
func completed(_ string, t timeline, facts *cdr.Facts) cdr.Kind {
	facts.AnsweredAt = t.read("call_answered")
	if !facts.AnsweredAt.IsZero() {
		facts.Disposition = cdr.Answered
	}
	return end(t, facts)
}

// refused ends a call that nobody answered, so that an answer is not read.
func refused(word string, t timeline, facts *cdr.Facts) cdr.Kind {
	facts.Disposition = disposition(word)
	return end(t, facts)
}

func end(t timeline, facts *cdr.Facts) cdr.Kind {
	facts.State, facts.Ends = cdr.StateEnded, cdr.EndsCall
	facts.EndedAt = t.read("call_completed", "call_finished") // the older name: W5
	t.orEvent(facts, &facts.EndedAt, cdr.MomentEnded)
	return cdr.KindEnded
}

// timeline reads the moments that every event repeats, as far as they can be
// true.
type timeline struct {
	f              *record.Fields
	started, event time.Time
}

const (
	// slack is by how much the clocks that stamp one event may differ, and what an
	// event_time without milliseconds is short of.
	slack = time.Minute
	// longest is more than any call lasts. An older form of W1 prints nulls: without
	// call_started only this tells the years of a placeholder.
	longest = 366 * 24 * time.Hour
)

func newTimeline(f *record.Fields, started, event time.Time) timeline {
	t := timeline{f: f, started: started}
	t.event = t.whole(event)
	return t
}

// whole returns a moment. One without milliseconds, in the second in which the
// call started, is no earlier than the start.
func (t timeline) whole(at time.Time) time.Time {
	if at.Before(t.started) && at.Equal(t.started.Truncate(time.Second)) {
		return t.started
	}
	return at
}

// read returns the first of the moments that is neither before the start of the
// call nor still to come at the time of the event.
func (t timeline) read(names ...string) time.Time {
	for _, name := range names {
		at := t.whole(t.f.Time(name))
		switch {
		case at.IsZero():
		case t.started.IsZero() && at.Before(t.event.Add(-longest)):
			t.f.Problem(name, "more than a year before event_time")
		case at.Before(t.started):
			t.f.Problem(name, "earlier than call_started")
		case !t.eventTime().IsZero() && at.After(t.event.Add(slack)):
			t.f.Problem(name, "later than event_time")
		default:
			return at
		}
	}
	return time.Time{}
}

// eventTime returns the time of the event, unless it is before the start.
func (t timeline) eventTime() time.Time {
	if t.event.Before(t.started) {
		return time.Time{}
	}
	return t.event
}

// orEvent takes the time of the event for a moment that is not known better.
func (t timeline) orEvent(facts *cdr.Facts, at *time.Time, m cdr.Moment) {
	if at.IsZero() && !t.eventTime().IsZero() {
		*at = t.eventTime()
		facts.Derived = append(facts.Derived, m)
	}
}
