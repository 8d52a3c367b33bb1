package didww

import (
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

func TestDisposition(t *testing.T) {
	t.Parallel()
	yes, no := new(bool), new(bool)
	*yes = true
	tests := []struct {
		success   *bool
		connected bool
		code      int
		by        cdr.Party
		want      cdr.Disposition
	}{
		{yes, true, 200, cdr.Caller, cdr.Answered},
		{yes, false, 200, "", cdr.Answered},
		{yes, false, 487, "", cdr.Answered},
		{nil, true, 0, "", cdr.Answered},
		{nil, true, 503, "", cdr.Answered},
		{nil, false, 200, "", cdr.Unknown},
		{nil, false, 486, "", cdr.Busy},
		{no, true, 200, "", cdr.Failed},
		{no, true, 487, "", cdr.Cancelled},
		{no, false, 200, "", cdr.Failed},
		{no, false, 0, "", cdr.Failed},
		{no, false, 183, "", cdr.Failed},
		{no, false, 999, "", cdr.Failed},
		{no, false, 302, "", cdr.Failed},
		{no, false, 400, "", cdr.Failed},
		{no, false, 401, "", cdr.Failed},
		{no, false, 402, cdr.System, cdr.Failed},
		{no, false, 403, cdr.Callee, cdr.Rejected},
		{no, false, 403, cdr.System, cdr.Rejected},
		{no, false, 404, "", cdr.Failed},
		{no, false, 408, "", cdr.NoAnswer},
		{no, false, 408, cdr.System, cdr.NoAnswer},
		{no, false, 410, "", cdr.Failed},
		{no, false, 480, "", cdr.NoAnswer},
		{no, false, 480, cdr.Callee, cdr.NoAnswer},
		{no, false, 480, cdr.System, cdr.Failed},
		{no, false, 484, "", cdr.Failed},
		{no, false, 486, cdr.System, cdr.Busy},
		{no, false, 487, cdr.Caller, cdr.Cancelled},
		{no, false, 488, "", cdr.Failed},
		{no, false, 500, "", cdr.Failed},
		{no, false, 502, "", cdr.Failed},
		{no, false, 503, "", cdr.Failed},
		{no, false, 504, "", cdr.Failed},
		{no, false, 600, "", cdr.Busy},
		{no, false, 603, "", cdr.Rejected},
		{no, false, 604, "", cdr.Failed},
		{no, false, 606, "", cdr.Failed},
		{no, false, 607, "", cdr.Rejected},
		{no, false, 608, "", cdr.Rejected},
		{no, false, 699, "", cdr.Failed},
		{no, false, 700, "", cdr.Failed},
	}
	for _, test := range tests {
		if got := disposition(test.success, test.connected, test.code, test.by); got != test.want {
			t.Errorf("%+v: got %s", test, got)
		}
	}
}

func TestParty(t *testing.T) {
	t.Parallel()
	want := map[int]cdr.Party{-1: "", 0: cdr.System, 1: cdr.System, 2: cdr.Callee, 3: cdr.Caller, 4: ""}
	for initiator, by := range want {
		if got := party(&initiator); got != by {
			t.Errorf("%d: got %q, want %q", initiator, got, by)
		}
	}
	if got := party(nil); got != "" {
		t.Errorf("missing: got %q", got)
	}
}
