package simulate

import (
	"context"
	"errors"
	"fmt"
)

// Recheck is a run that sends nothing.
func Recheck(ctx context.Context, o Options) (Report, error) {
	if err := o.complete(); err != nil {
		return Report{}, err
	}
	r := newReport()
	before, err := counts(ctx, o)
	if err != nil {
		return *r, err
	}
	if err := settle(ctx, o, r, before); err != nil {
		return *r, err
	}
	text, wrong := r.verdict()
	_, err = fmt.Fprintln(o.Out, text)
	return *r, errors.Join(wrong, err)
}
