package record

import "bytes"

// Shares cuts a long body into at most n shares of about the same length, where it
// is objects one after another with a line feed between them, as DIDWW sends them;
// any other is one share. Where each piece of each share has a record, Read finds
// the same in the whole body: the line feed is in no object, for JSON has a comma
// between two objects that are in another value, and no line feed in a string.
func Shares(body []byte, n int) [][]byte {
	var shares [][]byte
	if !bytes.HasPrefix(bytes.TrimSpace(body), []byte("{")) {
		n = 1
	}
	for ; n > 1; n-- {
		at := len(body) / n
		end := bytes.Index(body[at:], []byte("}\n{"))
		if end < 0 {
			break
		}
		end += at + len("}\n")
		shares, body = append(shares, body[:end]), body[end:]
	}
	return append(shares, body)
}
