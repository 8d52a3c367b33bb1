package spool

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := open(b, b.TempDir(), Options{MaxBytes: 1 << 40})
			d := delivery(1)
			d.Body = bytes.Repeat([]byte("x"), 600)
			var left atomic.Int64
			left.Store(int64(b.N))
			var group sync.WaitGroup
			b.ResetTimer()
			for range writers {
				group.Go(func() {
					for left.Add(-1) >= 0 {
						if err := s.Append(context.Background(), d); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			group.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkOpen opens and drains 64 MiB of 600-byte deliveries.
func BenchmarkOpen(b *testing.B) {
	d := delivery(1)
	d.Body = bytes.Repeat([]byte("x"), 600)
	frames := bytes.Repeat(frameOf(b, d), 100_000)
	for _, what := range []string{"open", "drain"} {
		b.Run(what, func(b *testing.B) {
			b.SetBytes(int64(len(frames)))
			for range b.N {
				b.StopTimer()
				dir := b.TempDir()
				write(b, dir, 1, frames)
				b.StartTimer()
				s := open(b, dir, Options{})
				for entries := []Entry{{}}; what == "drain" && len(entries) > 0; {
					entries = read(b, s, 512)
					if len(entries) > 0 {
						done(b, s, entries[len(entries)-1])
					}
				}
				shut(b, s)
			}
		})
	}
}
