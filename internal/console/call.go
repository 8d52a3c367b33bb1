package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/cdrstore/cdrstore/db"
)

// What one page shows at most.
const (
	maxEvents       = 200
	maxPayloadChars = 16 << 10
	maxBillLines    = 100
)

// callPage is all that is known of one call.
type callPage struct {
	Source, CallID string
	row            row // nil: only events or recordings are known
	Fields         []field
	Events         []event
	MoreEvents     bool
	Life           *life
	Recordings     []db.ConsoleRecordingsRow
	BillLines      []db.ConsoleBillLinesRow
	Rated          row
	numbers        []pgtype.Text // of the call, for masking ids
}

// call shows one call.
func (c *Console) call(w http.ResponseWriter, r *http.Request, v *view) error {
	v.Title = "Call"
	p := &callPage{Source: r.PathValue("source"), CallID: c.callID(r)}
	if strings.Contains(p.Source+p.CallID, "\x00") {
		return errNoCall
	}
	if err := c.readCall(r.Context(), p); err != nil {
		return err
	}
	rows, err := c.q.ConsoleEvents(r.Context(), db.ConsoleEventsParams{
		Source: p.Source, CallID: p.CallID, PayloadChars: maxPayloadChars, AtMost: maxEvents + 1,
	})
	if err != nil {
		return fmt.Errorf("read the events: %w", err)
	}
	if len(rows) > maxEvents {
		rows, p.MoreEvents = rows[:maxEvents], true
	}
	if p.Events, err = readEvents(rows, c.masker.text); err != nil {
		return err
	}
	if p.row == nil && len(p.Events) == 0 && len(p.Recordings) == 0 {
		return errNoCall
	}
	if err := c.explain(r.Context(), p); err != nil {
		return err
	}
	p.Life = drawLife(p.row, p.Events, v.Now)
	return c.show(w, v, "call", p)
}

var errNoCall = problem{http.StatusNotFound, "Nothing is known of this call. It may have been erased, or its id is written otherwise."}

// readCall reads what is not an event.
func (c *Console) readCall(ctx context.Context, p *callPage) error {
	var err error
	document, err := c.q.ConsoleCall(ctx, db.ConsoleCallParams{Source: p.Source, CallID: p.CallID})
	if p.row, err = rowOf(document, err); err != nil {
		return fmt.Errorf("read the call: %w", err)
	}
	document, err = c.q.ConsoleRated(ctx, db.ConsoleRatedParams{Source: p.Source, CallID: p.CallID})
	if p.Rated, err = rowOf(document, err); err != nil {
		return fmt.Errorf("read the price: %w", err)
	}
	p.Recordings, err = c.q.ConsoleRecordings(ctx, db.ConsoleRecordingsParams{Source: p.Source, CallID: p.CallID, AtMost: maxBillLines})
	if err != nil {
		return fmt.Errorf("read the recordings: %w", err)
	}
	p.BillLines, err = c.q.ConsoleBillLines(ctx, db.ConsoleBillLinesParams{Source: p.Source, CallID: p.CallID, AtMost: maxBillLines})
	if err != nil {
		return fmt.Errorf("read the bill lines: %w", err)
	}
	for _, column := range []string{"src", "dst", "did", "src_e164", "dst_e164"} {
		p.numbers = append(p.numbers, pgtype.Text{String: p.row.text(column), Valid: true})
	}
	return nil
}

// rowOf reads a row that may not be there.
func rowOf(document []byte, err error) (row, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return readRow(document)
}

// explain says where the values of the row come from.
func (c *Console) explain(ctx context.Context, p *callPage) error {
	columns, err := c.q.ConsoleCallColumns(ctx)
	if err != nil {
		return fmt.Errorf("read what the columns mean: %w", err)
	}
	meanings := map[string]string{}
	for _, column := range columns {
		meanings[column.Name] = column.Meaning
	}
	p.Fields = origins(p.row, meanings, p.Events)
	return nil
}

// Known reports whether there is a row of table call.
func (p *callPage) Known() bool { return p.row != nil }

// Get is a column of the row; empty where it is null.
func (p *callPage) Get(column string) string { return p.row.text(column) }

// ShownID is the id of the call, masked where it holds a number.
func (p *callPage) ShownID(v *view) string { return v.ID(p.CallID, p.numbers...) }

// Show writes a value of a row of call as people read it.
func (p *callPage) Show(v *view, column string, value *string) string {
	if value == nil {
		return missing
	}
	switch {
	case column == "src", column == "dst", column == "did", column == "src_e164", column == "dst_e164":
		return v.Phone(pgtype.Text{String: *value, Valid: true})
	case column == "call_id", column == "parent_call_id":
		return v.ID(*value, p.numbers...)
	case isMoment(column):
		return v.Moment(*value)
	case isNumber(column):
		return plain(*value)
	}
	return v.Text(*value)
}

// Party is the caller or the called, as certain as it is known.
func (p *callPage) Party(v *view, side string) string {
	number := p.row.text(side)
	if e164 := p.row.text(side + "_e164"); e164 != "" {
		number = e164
	}
	return v.Phone(pgtype.Text{String: number, Valid: number != ""})
}

// Nulls are the columns that nobody said anything for.
func (p *callPage) Nulls() []string {
	var names []string
	for _, f := range p.Fields {
		if f.Value == nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// Other writes a text beside the row, such as the name of a leg, which may hold a
// number of the call.
func (p *callPage) Other(v *view, text string) string { return v.ID(text, p.numbers...) }

// Fetchable is the URL of a recording if a browser can open it and it need not be
// masked; else empty.
func (p *callPage) Fetchable(v *view, text string) string {
	u, err := url.Parse(text)
	if err != nil || v.Mask || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return text
}
