package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// A frame holds one delivery. All numbers are little-endian:
//
//	 0  4  magic
//	 4  4  length of the payload
//	 8  8  when the delivery was received, in microseconds since 1970
//	16  4  CRC32C of the payload
//	20  4  CRC32C of the 20 bytes before
//	24     payload, see payload.go
//
// The header has a checksum of its own so that a damaged length is not taken
// for a frame that was cut short, and a damaged payload costs no other frame.
const (
	magic      = "\xc4CD\x01"
	headerSize = 24

	// maxPayload has room for the largest body the receiver takes (64 MiB).
	maxPayload = 96 << 20
)

// ErrTooLarge says that a delivery does not fit into a frame.
var ErrTooLarge = errors.New("the delivery is too large for the spool")

type header struct {
	length   int64
	received int64 // microseconds since 1970
	sum      uint32
}

func checksum(b []byte) uint32 {
	return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
}

// encodeFrame returns the frame of a delivery.
func encodeFrame(d *cdr.Delivery) ([]byte, error) {
	if payloadSize(d) > maxPayload {
		return nil, ErrTooLarge
	}
	b := make([]byte, headerSize, headerSize+payloadSize(d))
	b = appendPayload(b, d)
	payload := b[headerSize:]
	copy(b, magic)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(payload)))
	binary.LittleEndian.PutUint64(b[8:], uint64(d.ReceivedAt.UnixMicro()))
	binary.LittleEndian.PutUint32(b[16:], checksum(payload))
	binary.LittleEndian.PutUint32(b[20:], checksum(b[:20]))
	return b, nil
}

// Why bytes are not a frame.
const (
	cutShort       = "cut short"
	damagedHeader  = "damaged header"
	damagedPayload = "damaged payload"
)

// parseHeader reads a header, or says why it is none. b is shorter than a
// header only at the end of a segment.
func parseHeader(b []byte) (header, string) {
	if len(b) < headerSize {
		n := min(len(b), len(magic))
		if string(b[:n]) == magic[:n] {
			return header{}, cutShort
		}
		return header{}, damagedHeader
	}
	h := header{
		length:   int64(binary.LittleEndian.Uint32(b[4:])),
		received: int64(binary.LittleEndian.Uint64(b[8:])),
		sum:      binary.LittleEndian.Uint32(b[16:]),
	}
	if !bytes.HasPrefix(b, []byte(magic)) || checksum(b[:20]) != binary.LittleEndian.Uint32(b[20:]) || h.length > maxPayload {
		return header{}, damagedHeader
	}
	return h, ""
}
