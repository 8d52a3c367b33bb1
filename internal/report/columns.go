package report

import (
	"fmt"
	"strings"
)

// form is what a column holds.
type form int

const (
	asText     form = iota
	asCount         // a whole number
	asDecimal       // seconds, amounts, ratios: never a float
	asMoment        // UTC
	asDocument      // JSON
)

// column is a column of a report's function.
type column struct {
	name string
	form form
}

// columnsOf lists the columns of a report: those of its function, with only the
// dimensions that were asked for.
func columnsOf(kind string, by []string) []column {
	var dimensions []column
	for _, d := range by {
		dimensions = append(dimensions, column{d, asText})
	}
	list := func(first []column, rest ...column) []column {
		return append(append(first, dimensions...), rest...)
	}
	bucket := []column{{"bucket_start", asMoment}, {"bucket_local", asText}}
	switch kind {
	case "usage":
		return list(bucket, column{"currency", asText}, column{"attempts", asCount}, column{"answered", asCount},
			column{"duration", asDecimal}, column{"billsec", asDecimal}, column{"billed_sec", asDecimal}, column{"billed_minutes", asDecimal},
			column{"billed_unknown", asCount}, column{"cost", asDecimal}, column{"cost_unknown", asCount})
	case "tax":
		return list(bucket, column{"currency", asText}, column{"calls", asCount}, column{"cost", asDecimal}, column{"net", asDecimal}, column{"tax", asDecimal},
			column{"gross", asDecimal}, column{"tax_unknown", asCount}, column{"cost_of_unknown", asDecimal})
	case "kpi":
		return list(bucket, column{"attempts", asCount}, column{"answered", asCount}, column{"asr", asDecimal}, column{"ner", asDecimal},
			column{"acd", asDecimal}, column{"pdd_p50", asDecimal}, column{"pdd_p95", asDecimal}, column{"pdd_known", asCount},
			column{"short_calls", asCount}, column{"causes", asDocument})
	case "concurrency":
		return list([]column{{"minute", asMoment}, {"minute_local", asText}}, column{"peak", asCount}, column{"peak_talking", asCount})
	}
	return []column{
		{"source", asText},
		{"provider", asText},
		{"first_receipt", asMoment},
		{"last_receipt", asMoment},
		{"receipts", asCount},
		{"duplicates", asCount},
		{"gaps", asDocument},
		{"quarantined", asCount},
		{"quarantined_unread", asCount},
		{"calls", asCount},
		{"calls_not_ended", asCount},
		{"calls_without_cdr", asCount},
		{"calls_without_talk", asCount},
		{"priced_uncertain", asCount},
		{"unpriced", asCount},
		{"unpriced_causes", asDocument},
	}
}

// sql calls the function and turns every column into text, so that no digit is
// lost on the way.
func (p *plan) sql() string {
	var selected []string
	for _, c := range p.columns {
		if c.form == asMoment {
			selected = append(selected, fmt.Sprintf(`to_char(%s AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`, c.name))
			continue
		}
		selected = append(selected, c.name+"::text")
	}
	arguments := "$1::timestamp, $2::timestamp, $3::text"
	next := 4
	if HasBuckets(p.Kind) {
		arguments, next = arguments+", $4::text", 5
	}
	if p.Kind != "completeness" {
		arguments += fmt.Sprintf(", VARIADIC $%d::text[]", next)
		next++
	}
	statement := fmt.Sprintf("SELECT %s FROM %s(%s)", strings.Join(selected, ", "), p.Kind, arguments)
	if p.Source != "" {
		statement += fmt.Sprintf(" WHERE source = $%d", next)
	}
	return statement
}
