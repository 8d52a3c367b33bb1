package console

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/internal/table"
)

// csvLimit is how many calls one file may have, csvPage how many are read at a
// time.
const (
	csvLimit = 50_000
	csvPage  = 2000
)

// csvColumn is a column of the file. Null is nothing, as in `cdrstore export`.
type csvColumn struct {
	name   string
	number bool // digits, which no spreadsheet takes for a formula
	value  func(*view, found) (text string, ok bool)
}

func csvColumns() []csvColumn {
	text := func(name string, of func(found) pgtype.Text) csvColumn {
		return csvColumn{name, false, func(v *view, f found) (string, bool) { return v.Text(of(f)), of(f).Valid }}
	}
	phone := func(name string, of func(found) pgtype.Text) csvColumn {
		return csvColumn{name, false, func(v *view, f found) (string, bool) { return v.Phone(of(f)), of(f).Valid }}
	}
	digits := func(name string, of func(found) any) csvColumn {
		return csvColumn{name, true, func(_ *view, f found) (string, bool) { return exact(of(f)) }}
	}
	return []csvColumn{
		{"call_time", false, func(v *view, f found) (string, bool) {
			return f.CallTime.Time.In(v.Zone).Format("2006-01-02T15:04:05.999999Z07:00"), true
		}},
		{"source", false, func(v *view, f found) (string, bool) { return v.Text(f.Source), true }},
		{"provider", false, func(_ *view, f found) (string, bool) { return f.Provider, true }},
		{"call_id", false, func(v *view, f found) (string, bool) {
			return v.ID(f.CallID, f.Src, f.Dst, f.SrcE164, f.DstE164, f.Did), true
		}},
		text("direction", func(f found) pgtype.Text { return f.Direction }),
		phone("src", func(f found) pgtype.Text { return f.Src }),
		phone("dst", func(f found) pgtype.Text { return f.Dst }),
		phone("did", func(f found) pgtype.Text { return f.Did }),
		text("src_name", func(f found) pgtype.Text { return f.SrcName }),
		phone("src_e164", func(f found) pgtype.Text { return f.SrcE164 }),
		phone("dst_e164", func(f found) pgtype.Text { return f.DstE164 }),
		text("trunk", func(f found) pgtype.Text { return f.Trunk }),
		{"state", false, func(_ *view, f found) (string, bool) { return f.State, true }},
		text("disposition", func(f found) pgtype.Text { return f.Disposition }),
		digits("duration", func(f found) any { return f.Duration }),
		digits("billsec", func(f found) any { return f.Billsec }),
		digits("cost", func(f found) any { return f.Cost }),
		text("currency", func(f found) pgtype.Text { return f.Currency }),
		digits("sip_code", func(f found) any { return f.SipCode }),
		text("hangup_cause", func(f found) pgtype.Text { return f.HangupCause }),
	}
}

// callsCSV is the list as a file that spreadsheets open without running any of
// it: all its pages, up to csvLimit calls. It is made before it is sent, so that
// a part is never taken for the whole.
func (c *Console) callsCSV(w http.ResponseWriter, r *http.Request, v *view) error {
	s, err := c.readSearch(v.query, v)
	if err != nil {
		return err
	}
	if err := c.know(r.Context(), &s); err != nil {
		return err
	}
	var file bytes.Buffer
	columns := csvColumns()
	file.WriteString("\ufeff") // else Excel takes the text for the machine's old code page
	for i, column := range columns {
		writeField(&file, i, column.name)
	}
	file.WriteString("\r\n")
	k := lastKey()
	for n := 0; n < csvLimit; n += csvPage {
		calls, err := c.older(r.Context(), s, k, csvPage)
		if err != nil {
			return err
		}
		for _, f := range calls {
			writeLine(&file, columns, v, f)
			k = f.key()
		}
		if len(calls) < csvPage {
			break
		}
	}
	h := w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="calls-%s.csv"`, v.Now.In(v.Zone).Format("20060102-150405")))
	// A slow line may take longer than pages do; it may fail where nothing limits it.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(5 * time.Minute))
	_, _ = w.Write(file.Bytes()) // the client is gone
	return nil
}

func writeLine(file *bytes.Buffer, columns []csvColumn, v *view, f found) {
	for i, column := range columns {
		text, ok := column.value(v, f)
		switch {
		case !ok && i > 0:
			file.WriteByte(',')
		case !ok:
		case column.number:
			writeField(file, i, text)
		default:
			writeField(file, i, table.Harmless(text))
		}
	}
	file.WriteString("\r\n")
}

func writeField(file *bytes.Buffer, place int, text string) {
	if place > 0 {
		file.WriteByte(',')
	}
	if text != "" && !strings.ContainsAny(text, ",\"\r\n") {
		file.WriteString(text)
		return
	}
	file.WriteString(`"` + strings.ReplaceAll(text, `"`, `""`) + `"`)
}
