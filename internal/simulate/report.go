package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
)

// Report is what a run did and found.
type Report struct {
	Sent    map[Kind]Sent // what was acknowledged
	Answers map[int]int   // by status
	Said    answer        // the sums of the receiver's answers
	Tables  map[string]map[string]store.Count
	Calls   int     // compared
	Wrong   int     // how many of those, and of the tables, are not as they should be
	Faults  []Fault // at most maxFaults of them

	sample []cdr.Call
	wanted map[string]wanted
	took   time.Duration
}

// maxFaults is how many faults a report names.
const maxFaults = 100

// Kind is a kind of delivery of a provider.
type Kind struct{ Provider, Name string }

// Sent counts deliveries and the records in them.
type Sent struct{ Deliveries, Records int }

// wanted is what a source's stories make besides calls.
type wanted struct{ messages, rejects int64 }

func newReport() *Report {
	return &Report{Sent: map[Kind]Sent{}, Answers: map[int]int{}, wanted: map[string]wanted{}}
}

func (r *Report) sent(d delivery) {
	k := Kind{d.provider, d.kind}
	n := r.Sent[k]
	r.Sent[k] = Sent{n.Deliveries + 1, n.Records + d.records}
}

func (r *Report) expected(s *story) {
	w := r.wanted[s.provider]
	r.wanted[s.provider] = wanted{w.messages + int64(s.messages), w.rejects + int64(s.rejects)}
}

func (r *Report) fault(f Fault) {
	r.Wrong++
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, f)
	}
}

func (r *Report) records(source string) int {
	n := 0
	for k, sent := range r.Sent {
		if k.Provider == source {
			n += sent.Records
		}
	}
	return n
}

// repeated reports whether deliveries were sent again because the receiver
// failed; parts of those may have been counted more than once.
func (r *Report) repeated() bool {
	for status := range r.Answers {
		if status >= 500 {
			return true
		}
	}
	return false
}

// verdict is the last line, and the error where something is wrong.
func (r *Report) verdict() (string, error) {
	if r.Wrong == 0 {
		return fmt.Sprintf("All %d calls are in the database as they should be.", r.Calls), nil
	}
	var named []string
	for _, f := range r.Faults {
		named = append(named, f.String())
	}
	if more := r.Wrong - len(r.Faults); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	text := fmt.Sprintf("Of %d calls, %d are not in the database as they should be: %s", r.Calls, r.Wrong, strings.Join(named, "; "))
	return text, errors.New(text)
}

func (f Fault) String() string {
	name := strings.TrimSpace(f.Source + " " + f.CallID)
	return fmt.Sprintf("%s (%s: %s)", name, strings.Join(f.Columns, ", "), f.Detail)
}

// write prints all but the verdict.
func (r *Report) write(out io.Writer) error {
	total := Sent{}
	for _, s := range r.Sent {
		total.Deliveries += s.Deliveries
		total.Records += s.Records
	}
	fmt.Fprintf(out, "\n%d deliveries with %d records in %s\n\n", total.Deliveries, total.Records, r.took.Round(time.Millisecond))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	r.writeSent(w)
	r.writeSaid(w)
	r.writeTables(w)
	r.writeCalls(w)
	return w.Flush()
}

func (r *Report) writeSent(w io.Writer) {
	fmt.Fprintln(w, "What was sent\tkind\tdeliveries\trecords")
	kinds := slices.SortedFunc(maps.Keys(r.Sent), func(a, b Kind) int {
		return cmp.Or(cmp.Compare(slices.Index(names(), a.Provider), slices.Index(names(), b.Provider)), strings.Compare(a.Name, b.Name))
	})
	for _, k := range kinds {
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\n", k.Provider, k.Name, r.Sent[k].Deliveries, r.Sent[k].Records)
	}
	fmt.Fprintln(w)
}

func (r *Report) writeSaid(w io.Writer) {
	fmt.Fprintln(w, "What the receiver said\t")
	for _, status := range slices.Sorted(maps.Keys(r.Answers)) {
		fmt.Fprintf(w, "answers %d\t%d\n", status, r.Answers[status])
	}
	for _, line := range []struct {
		name string
		n    int
	}{
		{"stored", r.Said.Stored}, {"duplicates", r.Said.Duplicates},
		{"quarantined", r.Said.Quarantined}, {"spooled", r.Said.Spooled},
	} {
		fmt.Fprintf(w, "%s\t%d\n", line.name, line.n)
	}
	fmt.Fprintln(w)
}

func (r *Report) writeTables(w io.Writer) {
	if r.Tables == nil {
		return
	}
	tables := []string{"call", "event", "recording", "message", "quarantine"}
	fmt.Fprintf(w, "What the tables hold of this seed\t%s\n", strings.Join(tables, "\t"))
	for _, source := range names() {
		if r.Tables[source] == nil {
			continue
		}
		fmt.Fprint(w, source)
		for _, table := range tables {
			fmt.Fprintf(w, "\t%d", r.Tables[source][table].Rows)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintln(w)
}

func (r *Report) writeCalls(w io.Writer) {
	if len(r.sample) == 0 {
		return
	}
	slices.SortFunc(r.sample, func(a, b cdr.Call) int { return a.CallTime.Compare(b.CallTime) })
	fmt.Fprintln(w, "Some calls\tprovider\tdirection\tsrc\tdst\tdisposition\tduration\tbillsec\tcost")
	for i := range r.sample {
		c := &r.sample[i]
		state := string(c.Disposition)
		if c.State != cdr.StateEnded {
			state = "(" + string(c.State) + ")"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.CallTime.Format(time.DateTime), c.Provider, c.Direction,
			c.Src, c.Dst, state, seconds(c.Duration), seconds(c.Billsec), strings.TrimSpace(printed(c.Cost)+" "+c.Currency))
	}
	fmt.Fprintln(w)
}

func printed(a cdr.Amount) string {
	if !a.Valid {
		return ""
	}
	return a.Decimal.String()
}

func seconds(a cdr.Amount) string {
	if !a.Valid {
		return ""
	}
	return a.Decimal.Round(1).String()
}
