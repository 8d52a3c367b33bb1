package record

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxPairs is how many parameters a form may have.
const maxPairs = 10_000

// form gathers the parameters of a form.
type form struct {
	tree
	pairs []pair
}

type pair struct{ name, text span }

func (f *form) add(name, text []byte, decode func(out, text []byte) []byte) {
	put := func(text []byte) span {
		start := len(f.data)
		f.data = decode(f.data, text)
		return span{start: int32(start), end: int32(len(f.data))}
	}
	f.pairs = append(f.pairs, pair{put(name), put(text)})
}

// readForm reads pairs as browsers send them. A broken percent sign stands for
// itself, for VoipNow may send its values without encoding.
func (k *desk) readForm(contentType string, raw []byte) Piece {
	f := k.newForm(len(raw))
	for sent := range bytes.SplitSeq(raw, []byte("&")) {
		if len(sent) == 0 {
			continue
		}
		if len(f.pairs) == maxPairs {
			return Piece{Raw: raw, Reason: "body: more parameters than a form may have"}
		}
		name, text, _ := bytes.Cut(sent, []byte("="))
		f.add(name, text, appendUnescaped)
	}
	if len(f.pairs) == 0 {
		return Piece{Raw: raw, Reason: "body: a form without parameters"}
	}
	f.decode(contentType)
	return Piece{Record: k.record(&f, raw), Raw: raw}
}

// broken names the parameters that are not UTF-8.
func (f *form) broken() (notes []string) {
	if utf8.Valid(f.data) {
		return nil
	}
	for _, p := range f.pairs {
		if !utf8.Valid(f.bytes(p.name)) || !utf8.Valid(f.bytes(p.text)) {
			notes = appendNote(notes, string(f.bytes(p.name)), Mended)
		}
	}
	return notes
}

// decode puts names and texts that are not UTF-8 into it. A form may also name its
// charset itself, in a parameter _charset_.
func (f *form) decode(contentType string) {
	if utf8.Valid(f.data) && bytes.IndexByte(f.data, escape) < 0 {
		return
	}
	from := declared(contentType)
	for _, p := range f.pairs {
		if from == nil && string(f.bytes(p.name)) == "_charset_" {
			from = charset(string(f.bytes(p.text)))
		}
	}
	if from == nil {
		return
	}
	for i := range f.pairs {
		for _, s := range []*span{&f.pairs[i].name, &f.pairs[i].text} {
			start := len(f.data)
			f.data = append(f.data, decode(from, f.bytes(*s))...)
			*s = span{start: int32(start), end: int32(len(f.data))}
		}
	}
}

// newForm returns a form whose names and texts have so many bytes.
func (k *desk) newForm(size int) form {
	return form{tree: k.tree(slices.Grow(k.form[:0], size)), pairs: k.pairs[:0]}
}

// record makes a record of a form, and keeps its memory.
func (k *desk) record(f *form, raw []byte) *Record {
	r := f.record(raw)
	k.form, k.pairs, k.values = f.data, f.pairs, f.values
	return r
}

// appendUnescaped adds what url.QueryUnescape returns, or the text itself where
// that is an error.
func appendUnescaped(out, text []byte) []byte {
	begin := len(out)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(text) {
				return append(out[:begin], text...)
			}
			var err error
			if out, err = hex.AppendDecode(out, text[i+1:i+3]); err != nil {
				return append(out[:begin], text...)
			}
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out
}

// record makes a record of the parameters, as if they were the members of an
// object. Repeated names become a list, sorted, because the order of pairs has no
// meaning.
func (f *form) record(raw []byte) *Record {
	slices.SortFunc(f.pairs, func(a, b pair) int {
		return cmp.Or(bytes.Compare(f.bytes(a.name), f.bytes(b.name)), bytes.Compare(f.bytes(a.text), f.bytes(b.text)))
	})
	r := &Record{raw: raw, form: true, notes: f.broken()}
	f.values = append(slices.Grow(f.values, 1+len(f.pairs)), value{kind: kindObject, first: 1})
	for rest := f.pairs; len(rest) > 0; {
		name, n := rest[0].name, 1
		for n < len(rest) && bytes.Equal(f.bytes(rest[n].name), f.bytes(name)) {
			n++
		}
		if n == 1 {
			f.value(value{kind: kindString, name: name, text: rest[0].text}, 0)
		} else {
			r.repeated = true
			f.value(value{kind: kindArray, name: name}, n)
			for _, p := range rest[:n] {
				f.value(value{kind: kindString, text: p.text}, 0)
			}
		}
		rest = rest[n:]
	}
	f.values[0].next = int32(len(f.values))
	r.tree, r.root = f.tree, &f.values[0]
	return r
}

// value adds a value in which so many others follow.
func (f *form) value(v value, others int) {
	v.first = int32(len(f.values) + 1)
	v.next = v.first + int32(others)
	f.values = append(f.values, v)
}

// isMultipart reports whether a body begins with a boundary, and the type or the
// first part says so too.
func isMultipart(contentType string, body []byte) bool {
	if !bytes.HasPrefix(body, []byte("--")) {
		return false
	}
	head := bytes.ToLower(body[:min(len(body), 1024)])
	return strings.HasPrefix(strings.ToLower(contentType), "multipart/") || bytes.Contains(head, []byte("\ncontent-disposition:"))
}

func (k *desk) readMultipart(contentType string, body []byte) Piece {
	boundary := ""
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		boundary = params["boundary"]
	}
	if boundary == "" { // the type is missing or wrong: the first line is the boundary
		first, _, _ := bytes.Cut(body, []byte("\n"))
		boundary = strings.TrimPrefix(strings.TrimSpace(string(first)), "--")
	}
	f := k.newForm(0)
	if err := f.addParts(multipart.NewReader(bytes.NewReader(body), boundary)); err != nil {
		return Piece{Raw: body, Reason: "body: multipart: " + err.Error()}
	}
	f.decode(contentType)
	return Piece{Record: k.record(&f, body), Raw: body}
}

func (f *form) addParts(r *multipart.Reader) error {
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) && len(f.pairs) > 0 {
			return nil
		}
		if err != nil {
			return err
		}
		if len(f.pairs) == maxPairs {
			return errors.New("more parameters than a form may have")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if from := declared(part.Header.Get("Content-Type")); from != nil {
			text = decode(from, text)
		}
		f.add([]byte(part.FormName()), text, func(out, text []byte) []byte { return append(out, text...) })
	}
}
