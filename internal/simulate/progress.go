package simulate

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how many deliveries were answered: a bar on a terminal, else a
// line for every tenth.
type progress struct {
	out   io.Writer
	total int
	bar   *progressbar.ProgressBar // nil: lines

	mu   sync.Mutex
	done int
}

func newProgress(o Options, total int) *progress {
	p := &progress{out: o.Out, total: total}
	if o.Terminal {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(o.Out), progressbar.OptionSetDescription("deliveries"),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("deliveries"),
			progressbar.OptionFullWidth(), progressbar.OptionThrottle(50*time.Millisecond), progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

func (p *progress) add() {
	if p.bar != nil {
		_ = p.bar.Add(1) // it only shows something
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if before := (p.done - 1) * 10 / p.total; p.done*10/p.total > before {
		fmt.Fprintf(p.out, "%d of %d deliveries\n", p.done, p.total)
	}
}

// end clears the bar.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
	}
}

// pace keeps a rate.
type pace struct {
	every time.Duration
	next  time.Time
}

func newPace(rate float64) *pace {
	if rate == 0 {
		return &pace{}
	}
	return &pace{every: time.Duration(float64(time.Second) / rate), next: time.Now()}
}

// wait returns when the next delivery is due, and false when ctx ended before.
func (p *pace) wait(ctx context.Context) bool {
	if p.every > 0 {
		due := time.NewTimer(time.Until(p.next))
		defer due.Stop()
		p.next = p.next.Add(p.every)
		select {
		case <-due.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}
