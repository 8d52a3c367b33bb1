package number

import (
	"fmt"
	"sync"
	"testing"
	"unsafe"
)

// A memo answers as its plan does, at first and again, and never holds more than
// two generations.
func TestMemo(t *testing.T) {
	t.Parallel()
	var m Memo
	plans := []Plan{{}, {International: true}, {Country: "GB"}, {International: true, Country: "US"}}
	for range 2 {
		for _, p := range plans {
			for _, sent := range []string{"+442079460958", "442079460958", "02079460958", "6465551234", "+44 (20) 7946-0958", "112", "anonymous", ""} {
				n, c := p.E164(sent)
				if number, country := m.E164(p, sent); number != n || country != c {
					t.Errorf("%+v: %q: %q %q, want %q %q", p, sent, number, country, n, c)
				}
			}
		}
	}
	if n := len(m.young); n != 4*4 {
		t.Errorf("%d numbers are remembered, of four spellings and four plans", n)
	}
}

func TestMemoForgets(t *testing.T) {
	t.Parallel()
	var m Memo
	often := question{digits: "1000000"}
	m.keep(often, answer{"+1", "US"})
	for i := range 5 * generation {
		m.keep(question{digits: fmt.Sprint(2000000 + i)}, answer{})
		if i%1000 == 0 {
			if a, known := m.recall(often); !known || a.country != "US" {
				t.Fatalf("a number that is asked for again and again is forgotten after %d others", i)
			}
		}
	}
	if _, known := m.recall(question{digits: "2000000"}); known {
		t.Error("a number that was asked for once is never forgotten")
	}
	if n := len(m.young) + len(m.old); n > 2*generation {
		t.Errorf("%d numbers are remembered", n)
	}
}

// What a memo remembers must not keep the body alive that the number was in, be
// it new or brought back from the older half.
func TestMemoClones(t *testing.T) {
	t.Parallel()
	var m Memo
	for range 2 {
		body := []byte("442079460958")
		m.E164(Plan{International: true}, unsafe.String(&body[0], len(body)))
		copy(body, "999999999999")
		for q := range m.young {
			if q.digits != "442079460958" {
				t.Errorf("the memo's number became %q", q.digits)
			}
		}
		m.young, m.old = nil, m.young
	}
}

func TestMemoIsShared(t *testing.T) {
	t.Parallel()
	var m Memo
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 200 {
				sent := fmt.Sprintf("44207946%04d", i)
				if n, country := m.E164(Plan{International: true}, sent); n != "+"+sent || country != "GB" {
					t.Errorf("%q: %q %q", sent, n, country)
				}
			}
		})
	}
	all.Wait()
}
