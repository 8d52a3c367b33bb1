package didww

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The CSV exports of call logs, by the headings of their columns. The editions,
// with the letters that the comments cite:
//
//	E1  doc.didww.com/api3/2017-09-18/cdr-export/get-csv-file-of-cdr-export.html: inbound, one
//	    "Date/Time (UTC)", amounts "TollFree Amount (USD)", no id of the call
//	E2  doc.didww.com/user-panel/call-logs.html: three times, "Toll-free Amount (USD)", no id of the call
//	E3  doc.didww.com/api3/2026-04-16/export/get-csv-file-of-export.html: "Destination DID",
//	    "Attempt", "Toll-free (USD)" to "Total (USD)", "Call ID"; outbound "CLI",
//	    "Billing Duration (sec)", "Rate (USD)", "Charged (USD)"
//	E4  doc.didww.com/api3/2026-11-19/export/get-csv-file-of-export.html: as E3, with
//	    "Source Number", "Source Number Out", countries and networks
//	E5  doc.didww.com/logs-analytics/call-logs/inbound-logs.html: what the columns mean
//
// Columns are found by name, in any order. Others are kept in the payload.

// The kinds of a row of an export, as provider_kind.
const (
	ExportInbound  = "export-inbound"
	ExportOutbound = "export-outbound"
)

// column is what a heading means.
type column int

const (
	colUnknown column = iota
	colStarted
	colConnected
	colEnded
	colDuration
	colStatus
	colSource
	colCli
	colSourceName
	colDid
	colDestination
	colAttempt
	colCode
	colReason
	colInitiator
	colTrunk
	colTollFree
	colPstn
	colMetered
	colCnam
	colTotal
	colBilled
	colRate
	colCharged
	colCallID
)

// meaning returns what a heading means, without its unit and without "amount".
func meaning(word string) column {
	switch word {
	case "date/time start", "date/time", "time start":
		return colStarted
	case "date/time connect", "date/time answer", "time connect":
		return colConnected
	case "date/time end", "time end":
		return colEnded
	case "duration", "call duration":
		return colDuration
	case "status":
		return colStatus
	case "source", "source number":
		return colSource
	case "source name":
		return colSourceName
	case "cli":
		return colCli
	case "did", "did number", "destination did":
		return colDid
	case "destination", "destination number", "cld":
		return colDestination
	case "disconnect code":
		return colCode
	case "response", "disconnect response", "disconnect reason":
		return colReason
	case "disconnect initiator":
		return colInitiator
	case "call id":
		return colCallID
	}
	return meaningOfRest(word)
}

func meaningOfRest(word string) column {
	switch word {
	case "attempt":
		return colAttempt
	case "voice in trunk", "voice out trunk", "trunk name", "trunk":
		return colTrunk
	case "tollfree":
		return colTollFree
	case "pstn", "termination":
		return colPstn
	case "metered", "metered channels":
		return colMetered
	case "cnam in":
		return colCnam
	case "total", "cost":
		return colTotal
	case "billing duration":
		return colBilled
	case "rate":
		return colRate
	case "charged":
		return colCharged
	}
	return colUnknown
}

// headings finds the heading of each meaning; of several the first.
func headings(names []string) map[column]string {
	found := make(map[column]string, len(names))
	for _, name := range names {
		word, _ := split(name)
		if c := meaning(word); c != colUnknown && found[c] == "" {
			found[c] = name
		}
	}
	return found
}

// split takes the unit off a heading: "Toll-free Amount (USD)" is tollfree in USD.
func split(heading string) (word, unit string) {
	word, unit, _ = strings.Cut(heading, "(")
	word = strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(word), "-", "")), " ")
	return strings.TrimSuffix(word, " amount"), strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(unit), ")"))
}

// currencyOf returns the ISO 4217 code in a heading, empty where there is none:
// "Rate (USD)", "Rate ($USD per minute)".
func currencyOf(heading string) string {
	_, unit := split(heading)
	return regexp.MustCompile(`\b[A-Z]{3}\b`).FindString(strings.ReplaceAll(unit, "$", " "))
}

// Header says of which export a line of headings is, and which column holds the
// id of the call, -1 when none does (E1, E2). The error names what is missing.
func Header(names []string) (kind string, callIDAt int, err error) {
	h := headings(names)
	switch {
	case h[colDid] != "":
		kind = ExportInbound
	case h[colCli] != "" || h[colCharged] != "" || h[colBilled] != "":
		kind = ExportOutbound
	default:
		return "", -1, errors.New(`this is no export of DIDWW's call logs: no column is named "Destination DID" or "DID" (inbound), nor "CLI", "Billing Duration (sec)" or "Charged (USD)" (outbound)`)
	}
	if err := checkHeadings(kind, h); err != nil {
		return "", -1, err
	}
	callIDAt = -1
	for i, name := range names {
		if name == h[colCallID] && h[colCallID] != "" {
			callIDAt = i
			break
		}
	}
	return kind, callIDAt, nil
}

func checkHeadings(kind string, h map[column]string) error {
	var missing []string
	want := func(c column, name string) {
		if h[c] == "" {
			missing = append(missing, `"`+name+`"`)
		}
	}
	want(colStarted, "Date/Time Start (UTC)")
	want(colDuration, "Duration (sec)")
	if kind == ExportOutbound {
		want(colDestination, "Destination Number")
	}
	if len(missing) > 0 {
		return fmt.Errorf("columns are missing: %s", strings.Join(missing, ", "))
	}
	for _, c := range []column{colStarted, colConnected, colEnded} {
		if _, zone := split(h[c]); zone != "" && zone != "UTC" {
			return fmt.Errorf("column %q: only times in UTC can be read", h[c])
		}
	}
	return nil
}
