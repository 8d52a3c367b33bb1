package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

// report prints what was measured, and then what was hoped for.
func (b *bench) report(out io.Writer) error {
	var text strings.Builder
	text.WriteString("\nround\tof\tconnections\trequests/s\trecords/s\tp50 ms\tp99 ms\tserver µs\tPostgres µs\tWAL bytes\tstolen %\t\n")
	for _, r := range b.results.Rounds {
		n := float64(r.Requests)
		fmt.Fprintf(&text, "%s\t%s\t%d\t%.0f\t%.0f\t%.2f\t%.2f\t%.1f\t%.1f\t%.0f\t%.1f\t\n", r.Kind, r.Target, r.Connections,
			r.perSecond(), r.recordsPerSecond(), r.P50, r.P99, r.ServerCPU*1e6/n, r.PostgresCPU*1e6/n, r.WAL/n, r.stolen())
	}
	text.WriteString("\nratio\tis\tfloor\taim\t\t\n")
	for _, m := range b.results.marks() {
		fmt.Fprintf(&text, "%s\t%.4g\t%s\t%s\t%s\t\n", m.Name, m.Is, bound(m, m.Floor), bound(m, m.Aim), m.verdict())
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if _, err := io.WriteString(w, text.String()); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out, "\nRows in call, event and recording were counted: none is missing, none is there twice.\n"+
		"µs, bytes: for each request. stolen: processor time that the machine's host gave to others.")
	return err
}

func bound(m mark, value float64) string {
	if value == 0 {
		return ""
	}
	sign := "≥"
	if m.Less {
		sign = "≤"
	}
	return fmt.Sprintf("%s %.3g", sign, value)
}

func (b *bench) writeJSON(path string) error {
	return writeJSON(path, struct {
		results
		Marks []mark `json:"ratios"`
	}{b.results, b.results.marks()})
}

func writeJSON(path string, figures any) error {
	text, err := json.MarshalIndent(figures, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644) //nolint:gosec // figures are no secret
}
