package main

import (
	"bytes"
	"compress/gzip"
	"crypto/md5" //nolint:gosec // it only makes ids that look random
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/cdrstore/cdrstore/internal/simulate"
)

// simulatedText finds the ids and telephone numbers of simulated traffic.
var simulatedText = regexp.MustCompile(`51d51d51(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|51d51d51[0-9a-f]{24}|51D51D51-[0-9A-F]{16}-[0-9a-fA-F]+` +
	`|sim[0-9a-z]{17}|44207946[0-9]{4}|1(?:202|212|312|415)55501[0-9]{2}`)

// scatter gives simulated calls ids and telephone numbers from all over the
// indexes. Simulated ids ascend and their numbers are few, so that in large
// indexes they would touch few pages; providers' ids are random. Every text keeps
// its length.
type scatter struct {
	seed    uint64
	stories int
	numbers int // how many there are
}

func newScatter(seed uint64, numbers int) *scatter { return &scatter{seed: seed, numbers: numbers} }

// story scatters a story's requests and what is expected of them.
func (s *scatter) story(told *simulate.Story) {
	s.stories++
	for i, r := range told.Requests {
		told.Requests[i].Target = string(s.replace([]byte(r.Target)))
		if r.Header["Content-Encoding"] == "gzip" {
			told.Requests[i].Body = zip(s.replace(unzip(r.Body)))
		} else {
			told.Requests[i].Body = s.replace(r.Body)
		}
	}
	for i, r := range told.Rows {
		told.Rows[i].CallID = string(s.replace([]byte(r.CallID)))
	}
}

func (s *scatter) replace(text []byte) []byte {
	return simulatedText.ReplaceAllFunc(text, func(found []byte) []byte {
		if bytes.HasPrefix(found, []byte("44")) || bytes.HasPrefix(found, []byte("1")) {
			return s.number(found)
		}
		return randomID(found)
	})
}

// number is one of those that the filled calls have, of the same length. In one
// story the same number stays the same.
func (s *scatter) number(simulated []byte) []byte {
	h := fnv.New64a()
	_, _ = h.Write(fmt.Appendf(nil, "%d %d %s", s.seed, s.stories, simulated)) // it cannot fail
	n := int(h.Sum64()>>1) % s.numbers &^ 1                                    // even ones are British
	if simulated[0] == '4' {
		return fmt.Appendf(nil, "4420%d", 30_000_000+n)
	}
	return fmt.Appendf(nil, "1202%d", 2_000_000+n+1)
}

// randomID has other digits in the places of the simulated id's.
func randomID(simulated []byte) []byte {
	sum := md5.Sum(simulated) //nolint:gosec // it only looks random
	digits := hex.EncodeToString(sum[:])
	if bytes.ContainsRune(simulated, 'D') {
		digits = strings.ToUpper(digits)
	}
	id := slices.Clone(simulated)
	for i, d := 0, 0; i < len(id) && d < len(digits); i++ {
		if id[i] != '-' {
			id[i] = digits[d]
			d++
		}
	}
	return id
}

// unzip and zip work in memory on what the simulation has made: nothing can fail.
func unzip(body []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil
	}
	plain, _ := io.ReadAll(z)
	return plain
}

func zip(plain []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(plain)
	_ = z.Close()
	return out.Bytes()
}
