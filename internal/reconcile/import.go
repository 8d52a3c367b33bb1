package reconcile

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/store"
)

// Imported counts what became of the records of an import.
type Imported struct {
	Records    int // read, the unreadable ones included
	CDRs       int // CDRs that were stored: lost ones that came back
	Replaced   int // of those, versions of a record that was imported before
	Others     int // live events, recordings and messages that were stored
	Known      int // known before: nothing was done
	Differ     int // of those, CDRs that say something else than the one we have
	NotAdded   int // readable, but not certain to be new: reported and left alone
	Unreadable int
}

// What became of a record, where it is worth a line.
const (
	Unreadable = "unreadable"
	Differs    = "differs"
	Replaces   = "replaces"
	InPart     = "stored in part"
	NotAdded   = "not added"
)

// Note is a line of the report about one record of a file.
type Note struct {
	File, What        string
	Line              int
	CallID, RecordKey string
	Reason            string
	Differences       []Difference
}

// Import stores the records of files that the tables lack: CDRs marked as
// imported, so that they yield to a push of the same record, and live events,
// recordings and messages as if they were pushed. Known records change nothing,
// and neither does a version of an imported CDR that says less than the one
// before. Nothing goes to the quarantine. With dry nothing is written.
//
// It may be run again at any time, also after it failed on its way.
func Import(ctx context.Context, s *store.Store, in Input, dry bool, note func(Note), progress func(records int)) (Imported, error) {
	i := importing{ctx: ctx, store: s, source: in.Source.Name, dry: dry, note: note}
	err := in.read(ctx, func(e entry) error {
		i.batch = append(i.batch, e)
		i.bytes += len(e.Raw)
		if len(i.batch) < maxBatch && i.bytes < maxBatchBytes {
			return nil
		}
		err := i.flush()
		progress(i.done.Records)
		return err
	})
	err = errors.Join(err, i.flush()) // what was read before a fault is as good as ever
	return i.done, err
}

// Limits of what is held at a time.
const (
	maxBatch      = 500
	maxBatchBytes = 4 << 20
)

type importing struct {
	ctx    context.Context
	store  *store.Store
	source string
	dry    bool
	note   func(Note)
	done   Imported

	batch []entry
	bytes int
}

// flush settles a batch: what is in it against what is held, in the order of the
// file, and saves what is new.
func (i *importing) flush() error {
	batch := i.batch
	i.batch, i.bytes = nil, 0
	if err := i.name(batch); err != nil {
		return err
	}
	held, err := i.held(batch)
	if err != nil {
		return err
	}
	alike, err := i.alike(batch, held)
	if err != nil {
		return err
	}
	var fresh []entry
	for n := range batch {
		i.done.Records++
		if keep := i.settle(&batch[n], held, alike[n]); keep {
			fresh = append(fresh, batch[n])
		}
	}
	return i.save(fresh)
}

// name gives CDRs that are known by SIP Call-ID and a rounded start the ids of
// their calls, where those are known.
func (i *importing) name(batch []entry) error {
	var wanted []store.Started
	var cdrs []*cdr.Event
	for n := range batch {
		if e := batch[n].cdr(); e != nil && e.Facts.SIPCallID != "" && e.KeyedByStart() {
			wanted, cdrs = append(wanted, store.Started{SIPCallID: e.Facts.SIPCallID, StartedAt: e.Facts.StartedAt}), append(cdrs, e)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	found, err := i.store.CallsOf(i.ctx, i.source, wanted)
	for n, id := range found {
		if id != "" {
			cdrs[n].MoveTo(id)
		}
	}
	return err
}

// held reads what is known of the calls of a batch.
func (i *importing) held(batch []entry) (map[string]store.Held, error) {
	ids := map[string]bool{}
	for n := range batch {
		if e := batch[n].cdr(); e != nil && batch[n].keyed {
			ids[e.CallID] = true
		}
	}
	return i.heldByID(ids)
}

func (i *importing) heldByID(ids map[string]bool) (map[string]store.Held, error) {
	var list []string
	for id := range ids {
		list = append(list, id)
	}
	if len(list) == 0 {
		return map[string]store.Held{}, nil
	}
	return i.store.Held(i.ctx, i.source, list)
}

// cdr returns the CDR of a record, nil where it is none.
func (e *entry) cdr() *cdr.Event {
	for n := range e.Events {
		if e.Events[n].Kind == cdr.KindCDR {
			return &e.Events[n]
		}
	}
	return nil
}

// alikeCall is a call that may be the one of a row, under another id or where
// the row has none.
type alikeCall struct {
	id   string // empty: there is none
	held store.Held
}

// alike looks for calls by start, numbers and talk time: for rows that do not
// name their call, and for those of a call that is not known, in case the file's
// ids are not the ones that are pushed. Then importing it would charge every
// call twice.
func (i *importing) alike(batch []entry, held map[string]store.Held) (map[int]alikeCall, error) {
	var wanted []store.Likeness
	var places []int
	for n := range batch {
		e := batch[n].cdr()
		if e == nil || batch[n].keyed && (len(held[e.CallID].Events) > 0 || !distinctive(e)) {
			continue
		}
		wanted, places = append(wanted, likeness(e)), append(places, n)
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	found, err := i.store.Alike(i.ctx, i.source, wanted)
	if err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for _, id := range found {
		if id != "" {
			ids[id] = true
		}
	}
	calls, err := i.heldByID(ids)
	alike := map[int]alikeCall{}
	for w, id := range found {
		alike[places[w]] = alikeCall{id, calls[id]}
	}
	return alike, err
}

// distinctive reports whether start, numbers and talk time tell a call from any
// other: many callers that nobody answers share a second.
func distinctive(e *cdr.Event) bool {
	return e.Facts.Billsec.Decimal.IsPositive() && strings.Trim(e.Facts.Src, "+0") != ""
}

func likeness(e *cdr.Event) store.Likeness {
	dst := e.Facts.DID
	if dst == "" {
		dst = e.Facts.Dst
	}
	return store.Likeness{StartedAt: e.Facts.StartedAt, Src: plus(e.Facts.Src), Dst: plus(dst), Billsec: e.Facts.Billsec}
}

// save stores what is new. Whether a CDR is new was settled before; of others the
// store knows.
func (i *importing) save(fresh []entry) error {
	var others []cdr.Record
	for n := range fresh {
		if fresh[n].cdr() == nil {
			others = append(others, fresh[n].Record)
		}
	}
	known, err := i.store.Known(i.ctx, others)
	if err != nil {
		return fmt.Errorf("look for known records: %w", err)
	}
	var unknown []entry
	for n := range fresh {
		if fresh[n].cdr() == nil {
			duplicate := known[0].Status == store.Duplicate
			if known = known[1:]; duplicate {
				i.done.Known++
				continue
			}
		}
		unknown = append(unknown, fresh[n])
	}
	outcomes := make([]store.Outcome, len(unknown)) // stored, as it were
	if !i.dry {
		if outcomes, err = i.store.SaveImported(i.ctx, recordsOf(unknown)); err != nil {
			return err
		}
	}
	for n, o := range outcomes {
		i.count(&unknown[n], o)
	}
	return nil
}

func recordsOf(entries []entry) []cdr.Record {
	records := make([]cdr.Record, len(entries))
	for n := range entries {
		records[n] = entries[n].Record
	}
	return records
}

func (i *importing) count(e *entry, o store.Outcome) {
	switch {
	case o.Status == store.Refused:
		i.refuse(e, o.Reason)
	case o.Status == store.Duplicate:
		i.done.Known++
	case e.cdr() != nil:
		i.done.CDRs++
	default:
		i.done.Others++
	}
}

func (i *importing) refuse(e *entry, reason string) {
	i.done.Unreadable++
	i.note(Note{File: e.file, Line: e.line, What: Unreadable, Reason: reason})
}
