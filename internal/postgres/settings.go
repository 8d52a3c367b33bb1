package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// settings for a load of many small commits, durable unless the options ask for fast.
func settings(o Options, memory int64) map[string]string {
	s := map[string]string{
		"timezone":       "UTC",
		"log_timezone":   "UTC",
		"shared_buffers": sharedBuffers(memory),

		"fsync":              "on",
		"synchronous_commit": "on",
		"full_page_writes":   "on",

		"wal_buffers":                  "16MB",
		"min_wal_size":                 "512MB",
		"max_wal_size":                 "16GB",
		"checkpoint_timeout":           "15min",
		"checkpoint_completion_target": "0.9",

		"random_page_cost": "1.1",
		"jit":              "off",
	}
	if o.Fast {
		maps.Copy(s, map[string]string{
			"shared_buffers":   "256MB",
			"fsync":            "off",
			"full_page_writes": "off",
			"min_wal_size":     "80MB",
			"max_wal_size":     "1GB",
			"wal_level":        "minimal",
			"max_wal_senders":  "0",
		})
	}
	maps.Copy(s, o.Settings)
	return s
}

// sharedBuffers is an eighth of the memory, from 64 MB to 4 GB: nothing matters
// more for the rate than that the indexes fit in it (docs/performance.md). Memory 0
// is unknown.
func sharedBuffers(memory int64) string {
	if memory == 0 {
		return "256MB"
	}
	return fmt.Sprintf("%dMB", min(max(memory>>23, 64), 4096))
}

// formatSettings is the text of settingsFile.
func formatSettings(settings map[string]string) string {
	var b strings.Builder
	b.WriteString("# Written at every start. To change a setting for good: ALTER SYSTEM SET name = value\n")
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&b, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	return b.String()
}
