package ingest

import (
	"context"
	"fmt"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// spool keeps a delivery on disk because of cause. It goes on when the sender
// has given up. Where that fails too the spool raises the alarm, once.
func (w *Writer) spool(ctx context.Context, d cdr.Delivery, records int, cause error) (Result, error) {
	if w.options.Spool == nil {
		return Result{}, cause
	}
	if err := w.options.Spool.Append(context.WithoutCancel(ctx), d); err != nil {
		return Result{}, fmt.Errorf("%w: %w: %w", ErrUnavailable, cause, err)
	}
	return Result{Received: records, Spooled: records, Errors: []RecordError{}}, nil
}
