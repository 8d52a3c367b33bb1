package ingest

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// spool keeps a delivery on disk because of cause. It goes on when the sender
// has given up.
func (w *Writer) spool(ctx context.Context, d cdr.Delivery, records int, cause error) (Result, error) {
	if w.options.Spool == nil {
		return Result{}, cause
	}
	if err := w.options.Spool.Append(context.WithoutCancel(ctx), d); err != nil {
		w.log.Error("ALARM: a delivery can be neither stored nor spooled", slog.String("source", d.Source), slog.Any("error", err))
		return Result{}, fmt.Errorf("%w: %w: %w", ErrUnavailable, cause, err)
	}
	return Result{Received: records, Spooled: records, Errors: []RecordError{}}, nil
}
