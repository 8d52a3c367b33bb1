package config

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// readLimits reads how long and how much, also how much is logged.
func (c *Config) readLimits(get func(name, or string) string) error {
	var faults []error
	switch word := get("CDRSTORE_SPOOL", "on"); word {
	case "on":
		c.Spool = true
	case "off":
	default:
		faults = append(faults, fmt.Errorf("CDRSTORE_SPOOL is %q: on or off", word))
	}
	var err error
	if c.SpoolBytes, err = size(get("CDRSTORE_SPOOL_SIZE", "8GiB")); err != nil {
		faults = append(faults, fmt.Errorf("CDRSTORE_SPOOL_SIZE: %w", err))
	}
	for name, to := range map[string]*time.Duration{"CDRSTORE_LATE": &c.Late, "CDRSTORE_STOP": &c.Stop} {
		or := map[string]string{"CDRSTORE_LATE": "5s", "CDRSTORE_STOP": "20s"}[name]
		*to, err = time.ParseDuration(get(name, or))
		if err != nil || *to < 100*time.Millisecond || *to > time.Hour {
			faults = append(faults, fmt.Errorf("%s is %q: a time from 100ms to 1h, such as 5s", name, get(name, or)))
		}
	}
	if c.Log, err = level(get("CDRSTORE_LOG", "info")); err != nil {
		faults = append(faults, fmt.Errorf("CDRSTORE_LOG: %w", err))
	}
	return errors.Join(faults...)
}

// level reads how much is logged.
func level(word string) (slog.Level, error) {
	for _, l := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
		if strings.EqualFold(word, l.String()) {
			return l, nil
		}
	}
	return 0, fmt.Errorf("%q is none of debug, info, warn and error", word)
}

// size reads a number of bytes with MiB or GiB behind it.
func size(text string) (int64, error) {
	for unit, shift := range map[string]uint{"MiB": 20, "GiB": 30} {
		number, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 32)
		if err != nil || n < 1 {
			break
		}
		return n << shift, nil
	}
	return 0, fmt.Errorf("%q is not a size such as 512MiB or 8GiB", text)
}
