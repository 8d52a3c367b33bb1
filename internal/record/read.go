package record

import (
	"bytes"
	"iter"
	"strings"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// MaxRecords is how many records one delivery may hold; what comes after them is
// kept as one piece. DIDWW sends 1,000 at most.
const MaxRecords = 100_000

// Piece is a record, or bytes from which none could be read and the reason.
type Piece struct {
	Record *Record
	Raw    []byte
	Reason string
}

// Read returns the pieces of a delivery in order. The body is read by what it
// is, not by its Content-Type: an object, a list, {"data":[…]}, objects one
// after another, a form, a multipart form; where there is no body, the query.
// Every byte of the body that means something is in some piece. A Record is good
// until the next piece is asked for.
func Read(d cdr.Delivery) iter.Seq[Piece] { return new(Memory).Read(&d, d.Body) }

func (k *desk) read(d *cdr.Delivery, sent []byte, yield func(Piece) bool) {
	body := bytes.TrimPrefix(sent, []byte(byteOrderMark))
	trimmed := bytes.TrimSpace(body)
	switch {
	case d.BodyProblem != "":
		yield(Piece{Raw: sent, Reason: d.BodyProblem})
	case len(trimmed) == 0 && d.Query != "":
		piece := k.readForm(d.ContentType, []byte(d.Query))
		piece.Raw = nil // the delivery keeps its query beside its body
		yield(piece)
	case len(trimmed) == 0:
		yield(Piece{Raw: sent, Reason: "body: empty"})
	case isMultipart(d.ContentType, trimmed):
		yield(k.readMultipart(d.ContentType, trimmed))
	case isForm(d.ContentType, trimmed):
		yield(k.readForm(d.ContentType, trimmed))
	default:
		k.readJSON(body, yield) // or garbage first, perhaps records after it
	}
}

// isForm reports whether a body is pairs of a form: it does not begin as JSON does,
// and the type says so (it is what curl says of everything) and no line begins as an
// object does, or it is one line that starts with a name and an equals sign.
func isForm(contentType string, body []byte) bool {
	if len(body) == 0 || body[0] == '{' || body[0] == '[' || bytes.IndexByte(body, '=') < 0 || bytes.Contains(body, []byte("\n{")) {
		return false
	}
	if strings.HasPrefix(strings.ToLower(contentType), "application/x-www-form-urlencoded") {
		return true
	}
	name, _, _ := bytes.Cut(body, []byte("="))
	return len(name) > 0 && !bytes.ContainsAny(name, " \t{}[]\"<>") && !bytes.Contains(body, []byte("\n"))
}
