package spool

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// TestAlarms fills a spool and expects an alarm when it fills, one when it is
// full, and no latch once the failure is long ago and there is room.
func TestAlarms(t *testing.T) {
	t.Parallel()
	var said strings.Builder
	s, err := Open(t.TempDir(), Options{MaxBytes: 1 << 16, SegmentBytes: 1 << 14, Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		t.Fatal(err)
	}
	for err = nil; err == nil; {
		err = s.Append(t.Context(), cdr.Delivery{Source: "s", Body: make([]byte, 1000), ReceivedAt: time.Unix(1, 0)})
	}
	if !errors.Is(err, ErrFull) || !s.Stats().Failing {
		t.Errorf("%v, %+v; want it full and failing", err, s.Stats())
	}
	s.mu.Lock()
	s.failedAt = s.failedAt.Add(-retryAfter)
	s.mu.Unlock()
	if !s.Stats().Failing {
		t.Error("full, and not failing any more")
	}
	for {
		entries, err := s.Read(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		if len(entries) == 0 {
			break
		}
		if err := s.Done(entries[len(entries)-1]); err != nil {
			t.Fatal(err)
		}
	}
	if s.Stats().Failing {
		t.Error("still failing, though it is empty and the failure was long ago")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"three quarters full", "deliveries are refused"} {
		if strings.Count(said.String(), want) != 1 || !strings.Contains(said.String(), `msg="ALARM: spool: `+want) {
			t.Errorf("not one alarm %q in %s", want, said.String())
		}
	}
}
