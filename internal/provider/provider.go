// Package provider turns deliveries into rows: it reads the records of a body,
// has the provider's adapter say what each means, and adds what is the same for
// all providers: identity, receipt, payload, E.164, currency.
//
// A new provider is a folder below this one and a line in All. Decoding is pure:
// no clock, no database, no HTTP; an adapter imports cdr and record only.
package provider

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/number"
	"github.com/cdrstore/cdrstore/internal/provider/didlogic"
	"github.com/cdrstore/cdrstore/internal/provider/didww"
	"github.com/cdrstore/cdrstore/internal/provider/piopiy"
	"github.com/cdrstore/cdrstore/internal/provider/voipnow"
	"github.com/cdrstore/cdrstore/internal/provider/wavix"
	"github.com/cdrstore/cdrstore/internal/record"
)

// Adapter is one kind of sender.
type Adapter struct {
	Name string // as in design and configuration
	GET  bool   // sends parameters in the query of a GET too

	// Hints says that the path behind the source, or ?event=, names the kind of
	// event, because the request does not.
	Hints bool

	// International says that the provider writes numbers as digits with
	// country code and without +.
	International bool

	// Volatile names fields that may differ between two deliveries of one
	// record; they are left out of its identity.
	Volatile []string

	// Decode says what one record means. It sets of an event CallID, Kind,
	// ProviderKind, Leg, RecordKey, OccurredAt, Clock and Facts, of a recording
	// CallID, RecordingID, URL and ExpiresAt, of a message all but its receipt.
	// An error sets the record aside and must name the field.
	Decode func(r *record.Record, f *record.Fields, hint string, s cdr.Settings) (cdr.Record, error)

	// Header says whether a line of column names is that of a CSV export of the
	// provider's call logs, of which kind, and which column is the id of the
	// call (-1: none). A row becomes a JSON object of names and texts, which
	// Decode reads with the kind as its hint. Nil: the provider has none.
	Header func(names []string) (kind string, callIDAt int, err error)

	numbers *number.Memo   // nil: every number is read anew
	memory  *record.Memory // nil: every delivery is read in its own
}

// All lists the adapters. The configuration's default sources have their names.
func All() []Adapter {
	return []Adapter{
		{Name: "didww", International: true, Decode: didww.Decode, Header: didww.Header},
		{Name: "didlogic", International: true, GET: true, Decode: didlogic.Decode},
		{Name: "voipnow", GET: true, Hints: true, Decode: voipnow.Decode},
		{Name: "piopiy", International: true, GET: true, Volatile: []string{"balance"}, Decode: piopiy.Decode},
		{Name: "wavix", International: true, Decode: wavix.Decode},
	}
}

// ByName returns the adapter of a provider.
func ByName(name string) (Adapter, bool) {
	all := All()
	i := slices.IndexFunc(all, func(a Adapter) bool { return a.Name == name })
	if i < 0 {
		return Adapter{}, false
	}
	return all[i], true
}

// Adapters returns the adapters by name, for those who decode a lot: they share
// what they know of the numbers they have read, and memory.
func Adapters() map[string]Adapter {
	numbers, memory := new(number.Memo), new(record.Memory)
	byName := map[string]Adapter{}
	for _, a := range All() {
		a.numbers, a.memory = numbers, memory
		byName[a.Name] = a
	}
	return byName
}

// Read returns the records of a delivery in their order, rejects included. They
// get receipt times a microsecond apart, so that the last of two versions of
// one CDR in a body wins.
func (a Adapter) Read(d cdr.Delivery) []cdr.Record { return a.read(d, false) }

// ReadImported is Read for a part of a file. Its CDRs are marked as imported,
// which is part of their identity: the same record may still be pushed, as an
// event of its own. Other events are the same as pushed.
func (a Adapter) ReadImported(d cdr.Delivery) []cdr.Record { return a.read(d, true) }

func (a Adapter) piece(piece record.Piece, d *cdr.Delivery, imported bool) (cdr.Record, error) {
	if piece.Record == nil {
		return cdr.Record{}, errors.New(piece.Reason)
	}
	return a.record(piece.Record, d.Source, d.Hint, d.Settings, imported)
}

// record decodes one record. A panic of an adapter is an error of that record.
func (a Adapter) record(r *record.Record, source, hint string, s cdr.Settings, imported bool) (out cdr.Record, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = cdr.Record{}, fmt.Errorf("%s: %s", a.Name, cdr.PanicText(p))
		}
	}()
	f := r.Fields()
	out, err = a.Decode(r, f, hint, s)
	if err != nil {
		return cdr.Record{}, fmt.Errorf("%s: %w", a.Name, err)
	}
	payload := r.Payload()
	for i := range out.Events {
		e := &out.Events[i]
		e.Source, e.Payload = source, payload
		if e.Facts != nil {
			e.CheckTimes(f.Notes().Once, f.Notes().Talk, f.Notes().End)
			a.complete(e.Facts, s)
			e.Facts.Imported = imported && e.Kind == cdr.KindCDR
		}
		e.ID = a.eventID(e, r)
		own := func() [16]byte { return a.eventID(&cdr.Event{ProviderKind: e.ProviderKind}, r) }
		e.CallID, e.RecordKey = cdr.WithOwnKey(e.CallID, own), cdr.WithOwnKey(e.RecordKey, own)
	}
	f.NameRepeated()
	for i := range out.Events {
		out.Events[i].Problems = f.Problems()
	}
	for i := range out.Recordings {
		rec := &out.Recordings[i]
		rec.Source, rec.Payload = source, payload
		rec.CallID = cdr.WithOwnKey(rec.CallID, func() [16]byte { return digest(rec.RecordingID) })
	}
	for i := range out.Messages {
		m := &out.Messages[i]
		m.Source, m.Payload = source, payload
		m.MessageID = cdr.WithOwnKey(m.MessageID, func() [16]byte { return a.eventID(&cdr.Event{}, r) })
		if m.Cost.Valid && m.Currency == "" {
			m.Currency = s.Currency
		}
	}
	return out, out.Check()
}

// eventID is the identity of a record for ever: a digest of the source, the
// provider's word for its kind, whether it was imported, and the record itself.
func (a Adapter) eventID(e *cdr.Event, r *record.Record) [16]byte {
	without := a.Volatile
	if r.IsForm() {
		without = append(slices.Clone(without), "token", "event")
	}
	memory := r.Scratch()
	text := appendCounted(appendCounted((*memory)[:0], e.Source), e.ProviderKind)
	if e.Facts != nil && e.Facts.Imported {
		text = appendCounted(text, "import")
	}
	*memory = r.AppendCanonical(text, without)
	return digest(*memory)
}

func digest[T ~string | ~[]byte](text T) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:])
}

func appendCounted(out []byte, text string) []byte {
	out = strconv.AppendInt(out, int64(len(text)), 10)
	out = append(out, ':')
	return append(out, text...)
}

// complete adds to an adapter's facts what is done alike for all providers.
func (a Adapter) complete(f *cdr.Facts, s cdr.Settings) {
	f.Provider = a.Name
	f.Settings = s
	plan := number.Plan{International: a.International, Country: s.Country}
	f.SrcE164, f.SrcCountry = a.numbers.E164(plan, f.Src)
	f.DstE164, f.DstCountry = a.numbers.E164(plan, f.Dst)
	switch {
	case !f.Cost.Valid || s.CostIncludesTax == "unknown":
		f.CostIncludesTax = nil
	case s.CostIncludesTax != "":
		f.CostIncludesTax = new(s.CostIncludesTax == "true")
	}
	if f.Currency == "" && (f.Rate.Valid || f.Cost.Valid || f.Tax.Valid) {
		f.Currency = s.Currency
	}
}

// Redecode reads a stored event's payload again, after an adapter was fixed.
// Its id and receipts stay as they are; its call may be another one. It is an
// error when the record no longer gives an event; the event must then be left
// alone.
func (a Adapter) Redecode(e cdr.Event, s cdr.Settings) (cdr.Event, error) {
	r, err := record.FromPayload(e.Payload)
	if err != nil {
		return e, fmt.Errorf("payload: %w", err)
	}
	if e.Facts != nil {
		stored := e.Facts.Settings
		stored.CostIncludesTax = cmp.Or(stored.CostIncludesTax, s.CostIncludesTax)
		s = stored
	}
	out, err := a.record(r, e.Source, e.ProviderKind, s, e.Facts != nil && e.Facts.Imported)
	if err != nil {
		return e, err
	}
	if len(out.Events) != 1 {
		return e, fmt.Errorf("%s: the record no longer gives this event", a.Name)
	}
	n := out.Events[0]
	if e.Facts != nil && e.Facts.Imported && e.Facts.SIPCallID != "" && n.KeyedByStart() {
		n.MoveTo(e.CallID) // a file names the call by a rounded start, and the import found it
	}
	n.ID, n.ProviderKind, n.Payload = e.ID, e.ProviderKind, e.Payload
	n.ReceivedAt, n.LastReceivedAt, n.Deliveries = e.ReceivedAt, e.LastReceivedAt, e.Deliveries
	for _, p := range e.Problems {
		if (strings.HasSuffix(p, record.Mended) || strings.HasSuffix(p, record.Repeated)) && !slices.Contains(n.Problems, p) {
			n.Problems = append(n.Problems, p)
		}
	}
	return n, nil
}
