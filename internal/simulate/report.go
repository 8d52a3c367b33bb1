package simulate

// Report is what a run did and found.
type Report struct{}
