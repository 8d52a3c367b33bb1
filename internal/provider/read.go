package provider

import (
	"runtime"
	"sync"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/record"
)

// How many bytes of a long body a record has, about; how many records there is
// room for at first; and how many bytes are worth a goroutine of their own.
const (
	usualRecord  = 1200
	usualRecords = 1000
	usualShare   = 64 << 10
)

func (a Adapter) read(d cdr.Delivery, imported bool) []cdr.Record {
	if a.memory == nil {
		a.memory = new(record.Memory)
	}
	d = record.InUTF8(d)
	var records []cdr.Record
	good := false
	if n := min(runtime.GOMAXPROCS(0), len(d.Body)/usualShare); n > 1 {
		records, good = a.readShares(&d, record.Shares(d.Body, n), imported)
	}
	if !good {
		records, _ = a.readShare(&d, d.Body, imported)
	}
	at := d.ReceivedAt.UTC().Truncate(time.Microsecond)
	for i := range records {
		records[i].SetReceipt(at.Add(time.Duration(i) * time.Microsecond))
	}
	return records
}

// readShares reads the shares of a long body side by side. It is not good where
// they are less than two, or might not be what the whole body says.
func (a Adapter) readShares(d *cdr.Delivery, shares [][]byte, imported bool) (records []cdr.Record, good bool) {
	if len(shares) < 2 {
		return nil, false
	}
	read, whole := make([][]cdr.Record, len(shares)), make([]bool, len(shares))
	var reading sync.WaitGroup
	for i, share := range shares {
		reading.Go(func() {
			defer func() { _ = recover() }() // the whole body will panic again, where the request is told
			read[i], whole[i] = a.readShare(d, share, imported)
		})
	}
	reading.Wait()
	for i := range shares {
		if !whole[i] {
			return nil, false
		}
		records = append(records, read[i]...)
	}
	return records, len(records) < record.MaxRecords
}

// readShare reads a body, or a share of one. It is whole where each piece has a
// record.
func (a Adapter) readShare(d *cdr.Delivery, body []byte, imported bool) (records []cdr.Record, whole bool) {
	whole = true
	records = make([]cdr.Record, 0, min(1+len(body)/usualRecord, usualRecords))
	for piece := range a.memory.Read(d, body) {
		r, err := a.piece(piece, d, imported)
		r.Raw, r.Origin = piece.Raw, d
		if err != nil {
			r.SetAside(err.Error())
		}
		whole = whole && piece.Record != nil
		records = append(records, r)
	}
	return records, whole
}
