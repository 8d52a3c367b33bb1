package ingest

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	var p pace
	pause := func() time.Duration {
		_, atMost := p.pause()
		return atMost
	}
	if !p.alone() || pause() != 0 {
		t.Fatal("the first delivery waits")
	}
	for range len(p.excess) - 1 {
		p.note(8, 8, 4*ms)
	}
	if pause() != 0 {
		t.Error("a few slow commits are enough")
	}
	p.note(8, 8, 4*ms)
	if pause() < ms/2 || pause() > maxPause {
		t.Errorf("with slow commits the pause is %v", pause())
	}
	if p.alone() {
		t.Error("with company before, a delivery goes alone")
	}
	if company, _ := p.pause(); company != 8 {
		t.Errorf("the next batch waits for %d deliveries, want the 8 that were answered", company)
	}
	if p.note(1, 1, 4*ms); !p.alone() {
		t.Error("without company before, a delivery waits for some")
	}
	if p.note(8, 8, ms); pause() != 0 {
		t.Error("one fast commit, and the next batch waits")
	}
	for range len(p.excess) - 1 {
		p.note(8, 8, 20*ms)
	}
	if pause() != 0 {
		t.Error("batches that were held up count as slow commits")
	}
	for range len(p.excess) {
		p.note(300, 300, 30*ms)
	}
	if pause() != 0 {
		t.Error("much work counts as a slow commit")
	}
	for range len(p.excess) {
		p.note(40, 40, 3*ms)
	}
	if pause() != 0 {
		t.Error("work that takes somewhat longer counts as a slow commit")
	}
	for range len(p.excess) {
		p.note(16, 16, 3*ms)
	}
	if pause() == 0 {
		t.Error("a commit of 2 ms does not show in a batch of 16")
	}
	for range len(p.excess) {
		p.note(4, 4, time.Second)
	}
	if pause() != maxPause {
		t.Errorf("the pause is %v, want no more than %v", pause(), maxPause)
	}
}
