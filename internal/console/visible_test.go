package console

import (
	"strings"
	"testing"
)

func TestVisible(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"plain ä\n\t✓":        "plain ä\n\t✓",
		"a\x00b\x1b\r\x7f":    "a[U+0000]b[U+001B][U+000D][U+007F]",
		"\u202eabc\u200b":     "[U+202E]abc[U+200B]",
		"a\u00a0b\u3000c":     "a[U+00A0]b[U+3000]c",
		"\xffx\xc3":           `[\xFF]x[\xC3]`,
		"\ufffd is a rune":    "\ufffd is a rune",
		"x\ufe0f\u034f\u3164": "x[U+FE0F][U+034F][U+3164]",
		"":                    "",
	} {
		got := ""
		for _, p := range visible(text) {
			if p.Odd {
				p.Text = "[" + p.Text + "]"
			}
			got += p.Text
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	mask := newMasker(true).text
	text := func(p preview) string {
		out := ""
		for _, piece := range p.Pieces {
			out += piece.Text
		}
		return out
	}
	if p := previewOf([]byte("grün"[:3]), 5, nil); text(p) != "gr" || !p.Cut {
		t.Errorf("a rune that is cut: %+v", p)
	}
	if p := previewOf([]byte("grün"), 5, nil); text(p) != "grün" || p.Cut {
		t.Errorf("a whole text: %+v", p)
	}
	if p := previewOf([]byte("x 44207"), 100, mask); text(p) != "x " {
		t.Errorf("a number that is cut: %+v", p)
	}
	if p := previewOf([]byte("x 442079460123"), 14, mask); strings.Contains(text(p), "7946") {
		t.Errorf("a number: %+v", p)
	}
	gzip := append([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3}, "442079460123"...)
	if p := previewOf(gzip, int64(len(gzip)), nil); len(p.Pieces) > 0 || !strings.HasPrefix(p.Hex, "00000000  1f 8b 08") || !strings.Contains(p.Hex, "442079|") {
		t.Errorf("bytes: %+v", p)
	}
	if p := previewOf(gzip, int64(len(gzip)), mask); strings.Contains(p.Hex, "34 34 32") || strings.Contains(p.Hex, "4420") || !strings.Contains(p.Hex, "1f 8b") {
		t.Errorf("masked bytes: %+v", p)
	}
	if p := previewOf(make([]byte, 4096), 1<<20, nil); !p.Cut || strings.Count(p.Hex, "\n") != 65 && strings.Count(p.Hex, "\n") != 64 {
		t.Errorf("%d lines, cut %v", strings.Count(p.Hex, "\n"), p.Cut)
	}
	if p := previewOf(nil, 0, mask); len(p.Pieces) > 0 || p.Hex != "" || p.Cut {
		t.Errorf("nothing: %+v", p)
	}
}
