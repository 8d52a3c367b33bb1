package record

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
)

// maxPairs is how many parameters a form may have.
const maxPairs = 10_000

// readForm reads pairs as browsers send them. A broken percent sign stands for
// itself, for VoipNow may send its values without encoding.
func readForm(text string) Piece {
	raw := []byte(text)
	var pairs [][2]string
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		if len(pairs) == maxPairs {
			return Piece{Raw: raw, Reason: "body: more parameters than a form may have"}
		}
		name, text, _ := strings.Cut(pair, "=")
		pairs = append(pairs, [2]string{unescape(name), unescape(text)})
	}
	if len(pairs) == 0 {
		return Piece{Raw: raw, Reason: "body: a form without parameters"}
	}
	return Piece{Record: newForm(pairs, raw), Raw: raw}
}

func unescape(s string) string {
	if u, err := url.QueryUnescape(s); err == nil {
		return u
	}
	return s
}

// isMultipart reports whether a body begins with a boundary, and the type or the
// first part says so too.
func isMultipart(contentType string, body []byte) bool {
	head := bytes.ToLower(body[:min(len(body), 1024)])
	return bytes.HasPrefix(body, []byte("--")) &&
		(strings.HasPrefix(strings.ToLower(contentType), "multipart/") || bytes.Contains(head, []byte("\ncontent-disposition:")))
}

func readMultipart(contentType string, body []byte) Piece {
	boundary := ""
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		boundary = params["boundary"]
	}
	if boundary == "" { // the type is missing or wrong: the first line is the boundary
		first, _, _ := bytes.Cut(body, []byte("\n"))
		boundary = strings.TrimPrefix(strings.TrimSpace(string(first)), "--")
	}
	pairs, err := multipartPairs(multipart.NewReader(bytes.NewReader(body), boundary))
	if err != nil {
		return Piece{Raw: body, Reason: "body: multipart: " + err.Error()}
	}
	return Piece{Record: newForm(pairs, body), Raw: body}
}

func multipartPairs(r *multipart.Reader) ([][2]string, error) {
	var pairs [][2]string
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) && len(pairs) > 0 {
			return pairs, nil
		}
		if err != nil {
			return nil, err
		}
		if len(pairs) == maxPairs {
			return nil, errors.New("more parameters than a form may have")
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, [2]string{part.FormName(), string(text)})
	}
}
