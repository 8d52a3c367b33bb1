package spool

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// A payload is a version and the fields of a delivery, each as its length (a
// uvarint) and its bytes: source, hint, method, query, content type, content
// encoding, body problem, body. The provider and the settings are not in it:
// they come from the configuration when the delivery is read. Nor is the time of
// receipt: it is in the header.
const payloadVersion = 1

var errPayload = errors.New("the payload does not end where its fields do")

func texts(d *cdr.Delivery) [7]*string {
	return [7]*string{&d.Source, &d.Hint, &d.Method, &d.Query, &d.ContentType, &d.ContentEncoding, &d.BodyProblem}
}

// payloadSize is how much room a payload needs at most.
func payloadSize(d *cdr.Delivery) int {
	n := 1 + binary.MaxVarintLen64 + len(d.Body)
	for _, text := range texts(d) {
		n += binary.MaxVarintLen64 + len(*text)
	}
	return n
}

func appendPayload(b []byte, d *cdr.Delivery) []byte {
	b = append(b, payloadVersion)
	for _, text := range texts(d) {
		b = binary.AppendUvarint(b, uint64(len(*text)))
		b = append(b, *text...)
	}
	b = binary.AppendUvarint(b, uint64(len(d.Body)))
	return append(b, d.Body...)
}

// decodePayload is the reverse of appendPayload. The body shares b; an empty one
// is nil.
func decodePayload(b []byte) (cdr.Delivery, error) {
	var d cdr.Delivery
	if len(b) == 0 || b[0] != payloadVersion {
		return d, fmt.Errorf("the payload is not of version %d", payloadVersion)
	}
	b = b[1:]
	var field []byte
	var err error
	for _, text := range texts(&d) {
		if field, b, err = cutField(b); err != nil {
			return cdr.Delivery{}, err
		}
		*text = string(field)
	}
	if field, b, err = cutField(b); err != nil || len(b) > 0 {
		return cdr.Delivery{}, errPayload
	}
	if len(field) > 0 {
		d.Body = field
	}
	return d, nil
}

func cutField(b []byte) (field, rest []byte, err error) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > uint64(len(b)-n) {
		return nil, nil, errPayload
	}
	end := n + int(length)
	return b[n:end:end], b[end:], nil
}
