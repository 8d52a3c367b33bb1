package chaos

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// row is what a table has of one record.
type row struct {
	table, source, call, mark string
	deliveries                int
}

type callKey struct{ source, id string }

// callRow is what table call has of one call.
type callRow struct {
	events int
	cost   string
}

// check compares the tables with all answers, once the spool is drained and the
// load stopped.
func (l *load) check(t *testing.T, s settings) {
	t.Helper()
	l.stop()
	conn, err := pgx.Connect(t.Context(), s.database)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	rows := readRows(t, conn)
	l.print(t, rows)
	for i, text := range l.wrong {
		if i < 10 {
			t.Errorf("answered: %s", text)
		}
	}
	l.compare(t, rows)
	wantCalls(t, l.records, rows, readCalls(t, conn))
	verify(t, s)
}

func (l *load) print(t *testing.T, rows []row) {
	t.Helper()
	tables := map[string]int{}
	deliveries := 0
	for _, r := range rows {
		tables[r.table]++
		deliveries += r.deliveries
	}
	records, acknowledged := 0, 0
	for _, e := range l.records {
		records += e.sent
		acknowledged += e.acknowledged
	}
	c := l.now()
	median, longest := l.latency()
	t.Logf("sent: %d deliveries with %d records (%d different)", c.deliveries, records, len(l.records))
	t.Logf("acknowledged: %d deliveries (%d of them spooled) with %d records; refused with 503: %d; without an answer: %d; 200 after %v (median), %v (longest)",
		c.acknowledged, c.spooled, acknowledged, c.refused, c.unanswered, median, longest)
	t.Logf("in the tables: %d rows %v, delivered %d times", len(rows), tables, deliveries)
	if c.unanswered > 0 {
		t.Logf("without an answer: %v", l.errors)
	}
}

// compare wants a row for everything acknowledged, no row twice, and none that
// was not sent. Where nothing failed and nothing was spooled, each receipt counts
// once and no more.
func (l *load) compare(t *testing.T, rows []row) {
	t.Helper()
	c := l.now()
	exact := c.acknowledged == c.deliveries && c.spooled == 0
	found := map[string]row{}
	for _, r := range rows {
		e := l.records[r.mark]
		_, twice := found[r.mark]
		switch {
		case e == nil:
			t.Errorf("%+v was never sent whole", r)
			continue
		case twice:
			t.Errorf("%+v is there twice: %+v", r, found[r.mark])
		case r.table != e.table, r.source != e.source, e.call != "" && r.call != e.call:
			t.Errorf("%+v was sent as %+v", r, *e)
		case exact && r.deliveries != e.acknowledged:
			t.Errorf("%+v was acknowledged %d times", r, e.acknowledged)
		}
		found[r.mark] = r
	}
	missing, few := 0, 0
	for mark, e := range l.records {
		r, there := found[mark]
		switch {
		case e.acknowledged > 0 && !there:
			missing++
		case r.deliveries < e.acknowledged:
			few++
		}
	}
	if missing > 0 {
		t.Errorf("LOST: %d records were acknowledged and are not there", missing)
	}
	if few > 0 {
		t.Errorf("%d records were acknowledged more often than they were counted", few)
	}
}

// wantCalls wants exactly the calls of the events that are there, each with as
// many events, and what its CDR charges once.
func wantCalls(t *testing.T, sent map[string]*entry, rows []row, got map[callKey]callRow) {
	t.Helper()
	want := map[callKey]callRow{}
	for _, r := range rows {
		e := sent[r.mark]
		if e == nil || e.call == "" {
			continue
		}
		k := callKey{e.source, e.call}
		c := want[k]
		c.events++
		if e.cost != "" {
			c.cost = e.cost
		}
		want[k] = c
	}
	for k, w := range want {
		if got[k] != w {
			t.Errorf("call %+v is %+v, want %+v", k, got[k], w)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d calls, want %d", len(got), len(want))
	}
	t.Logf("calls: %d", len(got))
}

func readRows(t *testing.T, conn *pgx.Conn) []row {
	t.Helper()
	found, err := conn.Query(t.Context(), `
		SELECT 'event', source, call_id, coalesce(payload->>'mark', 'none'), deliveries FROM event
		UNION ALL SELECT 'recording', source, call_id, coalesce(payload->>'mark', 'none'), deliveries FROM recording
		UNION ALL SELECT 'message', source, '', coalesce(payload->>'mark', 'none'), deliveries FROM message
		UNION ALL SELECT 'quarantine', source, '', coalesce(substring(convert_from(body, 'UTF8') FROM '"mark":"(m[0-9]+)"'), 'none'), deliveries FROM quarantine`)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := pgx.CollectRows(found, func(r pgx.CollectableRow) (row, error) {
		var to row
		return to, r.Scan(&to.table, &to.source, &to.call, &to.mark, &to.deliveries)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func readCalls(t *testing.T, conn *pgx.Conn) map[callKey]callRow {
	t.Helper()
	found, err := conn.Query(t.Context(), `SELECT source, call_id, events, coalesce(cost::text, '') FROM call`)
	if err != nil {
		t.Fatal(err)
	}
	calls := map[callKey]callRow{}
	var k callKey
	var c callRow
	if _, err := pgx.ForEachRow(found, []any{&k.source, &k.id, &c.events, &c.cost}, func() error {
		calls[k] = c
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return calls
}
