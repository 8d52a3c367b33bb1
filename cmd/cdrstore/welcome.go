package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/cdrstore/cdrstore/internal/config"
)

// welcome says what to try next. An empty address of the console: there is none.
func welcome(cfg config.Config, address, console, databaseURL string) string {
	source := cfg.Sources[0]
	for _, s := range cfg.Sources {
		if s.Provider == "didlogic" {
			source = s
		}
	}
	auth := ""
	if len(source.Tokens) > 0 {
		auth = ` -H "Authorization: Bearer $CDRSTORE_TOKEN"`
	}
	psql := `psql "$DATABASE_URL"`
	if cfg.DatabaseURL == "" {
		psql = fmt.Sprintf("psql '%s'", databaseURL)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\ncdrstore takes deliveries at http://%s/hooks/SOURCE\n", address)
	fmt.Fprintf(&b, "Sources: %s\n", names(cfg))
	if console != "" {
		fmt.Fprintf(&b, "Console: http://%s/\n", console)
	}
	fmt.Fprintln(&b)
	fmt.Fprintf(&b, "Try, in another terminal:\n")
	fmt.Fprintf(&b, "  curl -sS http://%s/hooks/%s%s -d '%s'\n", address, source.Name, auth, sample(time.Now()))
	fmt.Fprintf(&b, "  %s -c 'SELECT call_time, src, dst, disposition, duration, billsec FROM cdr'\n", psql)
	fmt.Fprintf(&b, "  make demo        # some hundred simulated calls of every provider\n\n")
	return b.String()
}

func names(cfg config.Config) string {
	all := make([]string, len(cfg.Sources))
	for i, s := range cfg.Sources {
		all[i] = s.Name
	}
	return strings.Join(all, ", ")
}

// sample is a CDR as DIDLogic sends it.
func sample(now time.Time) string {
	return fmt.Sprintf(`{"event":"cdr","callid":"try%d","calldate":"%s","direction":"outbound","disposition":"ANSWERED","src":"442079460123","dst":"14155550123","duration":42,"billsec":37,"user_id":7}`,
		now.Unix(), now.UTC().Format(time.RFC3339))
}

func terminal(f *os.File) bool { return isatty.IsTerminal(f.Fd()) }
