package rate

import (
	"testing"
	"time"
)

// TestReadTime reads midnights and times that the clocks of a zone skip or show
// twice, and times that name their own zone.
func TestReadTime(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ zone, cell, want string }{
		{"America/Santiago", "2025-09-07", "2025-09-07T04:00:00Z"},
		{"America/Havana", "2025-03-09", "2025-03-09T05:00:00Z"},
		{"Atlantic/Azores", "2025-03-30", "2025-03-30T01:00:00Z"},
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z"},
		{"America/New_York", "2025-03-09 02:30", "2025-03-09T07:00:00Z"},
		{"America/New_York", "2025-11-02T01:30", "2025-11-02T05:30:00Z"},
		{"America/New_York", "2025-11-02T01:30:00-05:00", "2025-11-02T06:30:00Z"},
		{"America/New_York", "2025-11-02T06:30:00Z", "2025-11-02T06:30:00Z"},
	} {
		zone, err := time.LoadLocation(c.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := (&lineReader{zone: zone}).readTime(c.cell)
		if got := at.Format(time.RFC3339); err != nil || got != c.want {
			t.Errorf("%s in %s: %s, %v, want %s", c.cell, c.zone, got, err, c.want)
		}
	}
}
