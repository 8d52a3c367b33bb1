package console

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMaskNumbers(t *testing.T) {
	t.Parallel()
	m := newMasker(true)
	for text, want := range map[string]string{
		"+442079460958": "+•••••••••958", "020 7946 0958": "••• •••• •958", "100": "100", "1234": "•234", "": "", "alice": "alice",
		"sip:442079460958@10.1.2.3:5060": "sip:••••••••••••@••.•.•.•:•060", "٤٤٢٠٧٩٤٦٠٩٥٨": "•••••••••٩٥٨",
	} {
		if got := m.number(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"call from +44 20 7946 0958 to 101":        "call from +•• •• •••• •958 to 101",
		`{"src":"442079460958","at":1700000000}`:   `{"src":"•••••••••958","at":•••••••000}`,
		"src=%2B442079460958&x=1":                  "src=%2B•••••••••958&x=1",
		"44%2020%207946%200958":                    "••%20••%20••••%20•958",
		"2026-11-20T12:30:45.123Z":                 "2026-11-20T12:30:45.123Z",
		"2026-11-20 12:30:45":                      "2026-11-20 12:30:45",
		"2026-11-20":                               "2026-11-20",
		"2026-11-20 442079460958":                  "2026-11-20 •••••••••958",
		"018f3c2e-1111-7222-8333-0123456789ab":     "018f3c2e-1111-7222-8333-0123456789ab",
		"00000000-0000-0000-0000-442079460958":     "••••••••-••••-••••-••••-•••••••••958",
		"6 digits 123456 stay":                     "6 digits 123456 stay",
		"(020) 7946-0958":                          "(•••) ••••-•958",
		"1.25 and 0.0071234567":                    "1.25 and •.•••••••567",
		"tel:442079460958;ext=7 and 442079460959.": "tel:•••••••••958;ext=7 and •••••••••959.",
	} {
		if got := m.text(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	off := newMasker(false)
	if off.number("442079460958") != "442079460958" || off.text("442079460958") != "442079460958" {
		t.Error("masked where that is off")
	}
}

// No page and no file has a number, whichever field it is in.
func TestMaskingLeavesNoNumber(t *testing.T) {
	t.Parallel()
	for _, mask := range []bool{true, false} {
		c, pool := newConsole(t, func(o *Options) { o.Mask = mask })
		insertSource(t, pool, "acme", "GB")
		for i := range 120 {
			src, dst := fmt.Sprintf("4420794%05d", i), fmt.Sprintf("+14155%06d", i)
			insert(t, pool, aCall{id: "id-" + src + "-" + fmt.Sprint(i), src: src, dst: dst, srcE164: "+" + src, dstE164: dst, disposition: "answered",
				at: noon().Add(-time.Duration(i) * time.Second), more: map[string]any{
					"did": src, "src_name": "Mr " + dst, "trunk": "sip:" + src + "@pbx", "hangup_cause": "no route to " + dst, "account": src, "tag": dst,
				}})
		}
		number := regexp.MustCompile(`4420794\d|14155\d`)
		p := wantPage(t, get(t, c, "/calls"))
		var pages []page
		for linkOf(t, p, "Older") != "" {
			pages = append(pages, p)
			p = wantPage(t, get(t, c, linkOf(t, p, "Older")))
		}
		pages = append(pages, p, wantPage(t, get(t, c, linkOf(t, p, "Newer"))), wantPage(t, get(t, c, linkOf(t, p, "CSV of all that fit"))), wantPage(t, get(t, c, "/")))
		for i, p := range pages {
			text, err := url.PathUnescape(strings.ReplaceAll(html.UnescapeString(p.body), "%", "%25"))
			if err != nil {
				t.Fatal(err)
			}
			if number.MatchString(text) == mask && i < len(pages)-1 {
				t.Errorf("mask %v: page %d has %q", mask, i, number.FindString(text))
			}
		}
		// Search finds by the whole number, and the answer shows none but what was asked.
		p = wantPage(t, get(t, c, "/calls?number=%2B442079400007"))
		if len(idsOf(p)) != 1 {
			t.Errorf("mask %v: %v", mask, idsOf(p))
		}
		if mask && strings.Contains(strings.ReplaceAll(p.body, "442079400007", ""), "14155") {
			t.Error("a search shows the other number")
		}
	}
}

func TestSealing(t *testing.T) {
	t.Parallel()
	seal := func(o Options) sealer {
		s, err := newSealer(o)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	one, same := seal(Options{Mask: true, Token: "t"}), seal(Options{Mask: true, Token: "t"})
	other, chance := seal(Options{Mask: true, Token: "u"}), seal(Options{Mask: true})
	text := one.seal("442079460958")
	if got, err := same.open(text); err != nil || got != "442079460958" || same.seal("442079460958") != text {
		t.Errorf("a console with the same credentials reads %q, %v", got, err)
	}
	for _, s := range []sealer{other, chance, seal(Options{Mask: true})} {
		if got, err := s.open(text); err == nil {
			t.Errorf("another console reads %q", got)
		}
	}
	for _, wrong := range []string{"", "x", "!", text[1:], text + "A"} {
		if got, err := one.open(wrong); err == nil {
			t.Errorf("%q was opened: %q", wrong, got)
		}
	}
}

func TestSpellingsOfOneNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"+44 20 7946 0958": "+442079460958", "0044 20 7946 0958": "+442079460958", "011442079460958": "+442079460958", "442079460958": "+442079460958",
		"020 7946 0958": "+442079460958", "(646) 555-1234": "+16465551234", "+91 (0)22 2778 4567": "+912227784567",
	} {
		if _, all := spellings(text, []string{"GB", "US"}); !slices.Contains(all, want) {
			t.Errorf("%s: %v", text, all)
		}
	}
	for _, text := range []string{"alice", "sip:1@x", "0003*210", "+", "-", "anonymous"} {
		if _, all := spellings(text, []string{"GB"}); !slices.Equal(all, []string{text}) {
			t.Errorf("%s: %v", text, all)
		}
	}
}

// What a call and the quarantine hold is masked too, in payloads and addresses.
func TestMaskingInPayloads(t *testing.T) {
	t.Parallel()
	c, pool := newConsole(t, func(o *Options) { o.Mask = true })
	insertSource(t, pool, "acme", "GB")
	insert(t, pool, aCall{id: "sip-442079460958", src: "442079460958", dst: "+14155550123", srcE164: "+442079460958", dstE164: "+14155550123", disposition: "answered", at: noon(), more: map[string]any{
		"started_at": noon(), "ended_at": noon().Add(time.Minute), "src_name": "Ann 442079460958", "hangup_cause": "to 4155550123", "account": "442079460958", "parent_call_id": "442079460958",
	}})
	for _, statement := range []string{
		`INSERT INTO event (source, call_id, event_id, kind, provider_kind, leg, record_key, occurred_at, clock, received_at, last_received_at, deliveries, facts, problems, payload)
		 VALUES ('acme', 'sip-442079460958', gen_random_uuid(), 'cdr', 'cdr', '442079460958', '442079460958', now(), 'provider', now(), now(), 3, '{"src": "442079460958", "src_e164": "+442079460958"}',
		 '{"dst: +1 (415) 555-0123 is odd"}', '{"src": "442079460958", "n": 442079460958, "url": "http://x/?a=%2B442079460958", "nested": [{"t": "+1 (415) 555-0123"}], "escaped": "\u0034\u00342079460958"}')`,
		`INSERT INTO recording (source, call_id, recording_id, url, received_at, deliveries) VALUES ('acme', 'sip-442079460958', 'rec-442079460958', 'https://x/442079460958.wav?to=%2B14155550123', now(), 1)`,
		`INSERT INTO quarantine (source, quarantine_id, hint, method, query, content_type, content_encoding, body, reason, received_at, deliveries)
		 VALUES ('acme', gen_random_uuid(), '442079460958', 'POST', 'from=%2B442079460958', 'text/plain', '', 'src=442079460958&dst=%2B1%20415%20555%200123'::bytea, 'src: "442079460958" is odd', now(), 1)`,
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	insert(t, pool, aCall{id: "of another number 4155550123", disposition: "busy", at: noon().Add(-time.Hour)})
	list := wantPage(t, get(t, c, "/calls"))
	link := regexp.MustCompile(`href="(/call/[^"]*)"`).FindStringSubmatch(list.body)
	number := regexp.MustCompile(`2079460|0?79460958|4155550|555[- ]?0123|555%200123`)
	for _, path := range []string{html.UnescapeString(link[1]), "/quarantine", "/usage", "/calls", "/"} {
		p := wantPage(t, get(t, c, path))
		for _, text := range []string{p.body, html.UnescapeString(p.body)} {
			if at := number.FindStringIndex(text); at != nil {
				t.Errorf("%s has …%s…", path, text[max(0, at[0]-80):min(len(text), at[1]+40)])
				break
			}
		}
	}
}
