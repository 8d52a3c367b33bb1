package didww_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider/didww"
	"github.com/cdrstore/cdrstore/internal/record"
)

// exported decodes a row: names and texts by turns.
func exported(t *testing.T, kind string, cells ...string) (cdr.Event, []string, error) {
	t.Helper()
	row := map[string]string{}
	for i := 0; i < len(cells); i += 2 {
		row[cells[i]] = cells[i+1]
	}
	body, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	r, err := record.FromPayload(body)
	if err != nil {
		t.Fatal(err)
	}
	f := r.Fields()
	out, err := didww.Decode(r, f, kind, cdr.Settings{})
	if err != nil {
		return cdr.Event{}, f.Problems(), err
	}
	check(t, out)
	return out.Events[0], f.Problems(), nil
}

func inboundRow(more ...string) []string {
	return append([]string{"Date/Time Start (UTC)", "2025-02-14 16:00:00", "Call ID", "tag", "Destination DID", "442079460123"}, more...)
}

func TestExportCharges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cells          []string
		cost, currency string
		problems       int
	}{
		"none":                {nil, "", "", 0},
		"empty":               {[]string{"Toll-free (USD)", "", "PSTN (USD)", "", "Metered (USD)", ""}, "", "USD", 0},
		"zeros":               {[]string{"Toll-free (USD)", "0.000", "PSTN (USD)", "0", "Metered (USD)", ""}, "0", "USD", 0},
		"all":                 {[]string{"Toll-free (USD)", "0.1", "PSTN (USD)", "0.02", "Metered (USD)", "0.003", "CNAM IN (USD)", "5", "Total (USD)", "5.123"}, "0.123", "USD", 0},
		"2017":                {[]string{"TollFree Amount (EUR)", "0.1", "Termination Amount (EUR)", "0.02", "Metered Channels Amount (EUR)", "0.003", "Sell Amount (Points)", "9"}, "0.123", "EUR", 0},
		"a total alone":       {[]string{"Total (USD)", "5.123", "CNAM IN (USD)", "5"}, "0.123", "USD", 0},
		"no currency":         {[]string{"Metered", "1"}, "1", "", 0},
		"two currencies":      {[]string{"Toll-free (USD)", "0.1", "PSTN (EUR)", "0.02"}, "", "", 1},
		"one unreadable":      {[]string{"Toll-free (USD)", "0.1", "PSTN (USD)", "free"}, "", "USD", 1},
		"exact to the penny":  {[]string{"Metered (USD)", "0.000000000000000001"}, "0.000000000000000001", "USD", 0},
		"not a sum of floats": {[]string{"Toll-free (USD)", "0.1", "PSTN (USD)", "0.2"}, "0.3", "USD", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, problems, err := exported(t, didww.ExportInbound, inboundRow(c.cells...)...)
			if err != nil || text(e.Facts.Cost) != c.cost || e.Facts.Currency != c.currency || len(problems) != c.problems {
				t.Errorf("%s %s, %q, %v", text(e.Facts.Cost), e.Facts.Currency, problems, err)
			}
		})
	}
}

func TestExportOutcome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cells []string
		want  cdr.Disposition
		by    cdr.Party
	}{
		"success":            {[]string{"Status", "Success", "Disconnect Initiator", "Origination"}, cdr.Answered, cdr.Caller},
		"failed":             {[]string{"Status", "Failed", "Disconnect Code", "486", "Disconnect Initiator", "destination"}, cdr.Busy, cdr.Callee},
		"failed, yet talked": {[]string{"Status", "failed", "Disconnect Code", "487", "Duration (sec)", "3"}, cdr.Cancelled, ""},
		"a new word":         {[]string{"Status", "Wonderful", "Date/Time Connect (UTC)", "2025-02-14 16:00:01"}, cdr.Answered, ""},
		"no status, talked":  {[]string{"Duration (secs)", "54", "Disconnect Code", "200"}, cdr.Answered, ""},
		"no status, silent":  {[]string{"Duration (secs)", "0", "Disconnect Code", "404", "Disconnect Initiator", "System"}, cdr.Failed, cdr.System},
		"nothing":            {nil, cdr.Unknown, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _, err := exported(t, didww.ExportInbound, inboundRow(c.cells...)...)
			if err != nil || e.Facts.Disposition != c.want || e.Facts.HangupBy != c.by {
				t.Errorf("%s by %q, %v", e.Facts.Disposition, e.Facts.HangupBy, err)
			}
		})
	}
}

func TestExportKeys(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind     string
		cells    []string
		key, leg string
		err      string
	}{
		"attempt":         {didww.ExportInbound, inboundRow("Attempt", "2"), "tag/2", "2", ""},
		"no attempt":      {didww.ExportInbound, inboundRow(), "tag/2025-02-14T16:00:00Z", "", ""},
		"a bad attempt":   {didww.ExportInbound, inboundRow("Attempt", "-1"), "tag/2025-02-14T16:00:00Z", "", ""},
		"outbound":        {didww.ExportOutbound, inboundRow("Attempt", "2"), "tag~20250214T160000.000000Z/2025-02-14T16:00:00Z", "", ""},
		"no call":         {didww.ExportInbound, []string{"Date/Time Start (UTC)", "2025-02-14 16:00:00", "DID", "1"}, "", "", "Call ID: missing"},
		"a blank call":    {didww.ExportInbound, []string{"Date/Time Start (UTC)", "2025-02-14 16:00:00", "Call ID", " "}, "", "", "Call ID: missing"},
		"no start":        {didww.ExportInbound, []string{"Date/Time Start (UTC)", "", "Call ID", "tag"}, "", "", "Date/Time Start (UTC): missing"},
		"not a time":      {didww.ExportOutbound, []string{"Date/Time (UTC)", "14/02/2025 16:00", "Call ID", "tag"}, "", "", "Date/Time (UTC): missing or not a time"},
		"a call too long": {didww.ExportInbound, []string{"Date/Time Start (UTC)", "2025-02-14 16:00:00", "Call ID", strings.Repeat("x", cdr.MaxKey+1)}, "", "", "Call ID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _, err := exported(t, c.kind, c.cells...)
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) || e.RecordKey != c.key || e.Leg != c.leg {
				t.Errorf("key %q, leg %q, %v", e.RecordKey, e.Leg, err)
			}
		})
	}
}

func TestExportParties(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kind                 string
		cells                []string
		src, dst, did, trunk string
	}{
		"inbound to a trunk":   {didww.ExportInbound, inboundRow("Source", "1", "Destination", "sip:a@b", "Voice IN Trunk", "Main"), "1", "442079460123", "442079460123", "sip:a@b"},
		"inbound to a number":  {didww.ExportInbound, inboundRow("Source Number", "1", "Source Number Out", "01", "Destination", "4930901820"), "1", "4930901820", "442079460123", "4930901820"},
		"inbound, 2026":        {didww.ExportInbound, inboundRow("Source", "1", "Voice IN Trunk", "Main"), "1", "442079460123", "442079460123", "Main"},
		"outbound":             {didww.ExportOutbound, inboundRow("Source", "020", "CLI", "4420", "Destination Number", "37", "Voice OUT Trunk", "T"), "4420", "37", "", "T"},
		"outbound without CLI": {didww.ExportOutbound, inboundRow("Source", "020", "CLI", "", "Destination", "37"), "020", "37", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, _, err := exported(t, c.kind, c.cells...)
			f := e.Facts
			if err != nil || f.Src != c.src || f.Dst != c.dst || f.DID != c.did || f.Trunk != c.trunk {
				t.Errorf("%+v, %v", f, err)
			}
		})
	}
}

func TestExportRate(t *testing.T) {
	t.Parallel()
	e, problems, err := exported(t, didww.ExportOutbound, inboundRow("Rate ($USD per minute)", "0.012", "Charged (USD)", "0.0642", "Billing Duration (sec)", "321")...)
	if f := e.Facts; err != nil || text(f.Rate) != "0.012" || text(f.Cost) != "0.0642" || text(f.ChargedSec) != "321" || f.Currency != "USD" || len(problems) > 0 {
		t.Errorf("%+v, %q, %v", f, problems, err)
	}
	e, problems, err = exported(t, didww.ExportOutbound, inboundRow("Rate (EUR)", "0.012", "Charged (USD)", "0.0642")...)
	if f := e.Facts; err != nil || f.Rate.Valid || text(f.Cost) != "0.0642" || f.Currency != "USD" || len(problems) != 1 {
		t.Errorf("%+v, %q, %v", f, problems, err)
	}
}

// A row of headings is not taken for a row of an export when it is pushed, and
// an event is not taken for a row.
func TestExportOnlyByItsKind(t *testing.T) {
	t.Parallel()
	if e, _, err := exported(t, "", inboundRow("id", "x")...); err != nil || e.Kind != cdr.KindOther || e.Facts != nil {
		t.Errorf("%+v, %v", e, err)
	}
	if _, _, err := exported(t, didww.ExportInbound, "type", "inbound-cdr", "id", "x"); err == nil {
		t.Error("a push is taken for a row")
	}
}
