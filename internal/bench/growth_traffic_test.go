package main

import (
	"bytes"
	"testing"

	"github.com/cdrstore/cdrstore/internal/number"
)

func TestScatter(t *testing.T) {
	plain, scattered := mixed(1, 2000), mixedAs(1, 2000, newScatter(1, 5000).story)
	if len(plain.requests) != len(scattered.requests) {
		t.Fatalf("%d requests became %d", len(plain.requests), len(scattered.requests))
	}
	for i, r := range scattered.requests {
		if r.header["Content-Encoding"] == "gzip" {
			r.body = unzip(r.body)
		} else if len(r.wire) != len(plain.requests[i].wire) {
			t.Fatalf("request %d has %d bytes, had %d", i, len(r.wire), len(plain.requests[i].wire))
		}
		head, _, _ := bytes.Cut(r.wire, []byte("\r\n"))
		for _, text := range [][]byte{head, r.body} {
			if left := simulatedText.Find(text); left != nil {
				t.Fatalf("request %d still has %s: %s", i, left, text)
			}
		}
	}
	if rows := keys(scattered); len(rows) != len(keys(plain)) {
		t.Errorf("%d calls became %d", len(keys(plain)), len(rows))
	}
}

func keys(t traffic) map[callKey]bool {
	all := map[callKey]bool{}
	for _, rows := range t.rows {
		for _, r := range rows {
			all[callKey{r.Source, r.CallID}] = true
		}
	}
	return all
}

// Numbers that were not valid would be missing from two indexes.
func TestScatteredNumbersAreValid(t *testing.T) {
	s := newScatter(1, numbers(maxCalls))
	for range 1000 {
		s.stories++
		for _, simulated := range []string{"442079460123", "12025550123"} {
			n := string(s.number([]byte(simulated)))
			if e164, _ := (number.Plan{International: true}).E164(n); e164 != "+"+n {
				t.Fatalf("%s is read as %q", n, e164)
			}
		}
	}
}
