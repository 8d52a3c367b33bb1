package ingest

import (
	"fmt"

	"github.com/cdrstore/cdrstore/internal/cdr"
	"github.com/cdrstore/cdrstore/internal/provider"
	"github.com/cdrstore/cdrstore/internal/store"
)

// Redecode reads a stored event's payload again with its provider's adapter, for
// store.Rebuild.
func Redecode(e cdr.Event, src store.Source) (cdr.Event, error) {
	adapter, ok := provider.ByName(src.Provider)
	if !ok {
		return e, fmt.Errorf("source %s: no provider %q", e.Source, src.Provider)
	}
	return adapter.Redecode(e, src.Settings)
}
