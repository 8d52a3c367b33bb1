package provider_test

import (
	"bytes"
	"testing"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/testcase"
)

// BenchmarkRead decodes the deliveries of testdata, one after another, with
// adapters that have seen their numbers before.
func BenchmarkRead(b *testing.B) {
	adapters := provider.Adapters()
	deliveries := map[string][]cdr.Delivery{}
	for _, c := range testcase.Load(b) {
		for i := range c.Deliveries {
			deliveries[c.Provider] = append(deliveries[c.Provider], c.Delivery(i))
		}
	}
	for name, all := range deliveries {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				adapters[name].Read(all[i%len(all)])
			}
		})
	}
}

// BenchmarkReadBatch decodes a thousand CDRs in one body, as DIDWW sends them
// when there is much to send.
func BenchmarkReadBatch(b *testing.B) {
	const records = 1000
	adapter := provider.Adapters()["didww"]
	var d cdr.Delivery
	for _, c := range testcase.Load(b) {
		if c.Name == "didww/body-lines" {
			d = c.Delivery(0)
		}
	}
	lines := bytes.SplitAfter(d.Body, []byte("\n"))[:2]
	d.Body = bytes.Repeat(bytes.Join(lines, nil), records/len(lines))
	b.ReportAllocs()
	for b.Loop() {
		if n := len(adapter.Read(d)); n != records {
			b.Fatalf("%d records", n)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}
