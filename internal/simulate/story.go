package simulate

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/cdrstore/cdrstore/internal/cdr"
)

// delivery is one request of a provider.
type delivery struct {
	at       time.Time // when the provider sends it, in simulated time
	provider string
	kind     string // what it is, for the report
	method   string
	hint     string // of VoipNow, in the path
	query    string
	header   map[string]string
	body     []byte // compressed on the way, where the header says so
	records  int
}

// row is what should be there under one call id.
type row struct {
	call       *cdr.Call // nil: no row in table call
	loose      []string  // columns of call that cannot be known beforehand
	source, id string
	events     int // rows of table event, those that say nothing about the call too
	recordings int
}

// story is the life of one or several calls that depend on each other: all that
// is sent, and what should come of it. Its deliveries are sent in their order.
type story struct {
	provider string
	seed     uint64
	*rand.Rand
	deliveries []delivery
	rows       []*row
	messages   int
	rejects    int
}

// tell makes the story of the calls from a number on. It depends on nothing else.
func tell(provider string, seed uint64, first, calls int) *story {
	s := &story{provider: provider, seed: seed, Rand: chance(seed, provider, "story", first)}
	switch provider {
	case "didww":
		s.didww(first, calls)
	case "didlogic":
		s.didlogic(first)
	case "voipnow":
		s.voipnow(first)
	case "piopiy":
		s.piopiy(first)
	case "wavix":
		s.wavix(first)
	}
	return s
}

// names lists the providers in the order in which their calls take turns.
func names() []string { return []string{"didww", "didlogic", "voipnow", "piopiy", "wavix"} }

// callsPerStory is how many calls of a provider come in one story: the CDRs of
// several calls of DIDWW share batches.
func callsPerStory(provider string) int {
	if provider == "didww" {
		return 5
	}
	return 1
}

func chance(seed uint64, provider, what string, n int) *rand.Rand {
	h := fnv.New64a()
	fmt.Fprintf(h, "%s %s %d", provider, what, n)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// mark is in everything that a seed's calls send: in their ids, and in what has
// no id.
func mark(provider string, seed uint64) string {
	switch provider {
	case "didww":
		return fmt.Sprintf("51D51D51-%016X-", seed)
	case "didlogic":
		id := strconv.FormatUint(seed, 36)
		return "sim" + strings.Repeat("0", 13-len(id)) + id
	case "voipnow":
		return fmt.Sprintf("51d51d51%016x", seed)
	}
	return fmt.Sprintf("51d51d51-%04x-%04x-%04x-%04x", seed>>48, seed>>32&0xffff, seed>>16&0xffff, seed&0xffff)
}

// simulated is a regular expression of all call ids of all seeds.
const simulated = `^(10-)?51[Dd]51[Dd]51|^sim[0-9a-z]{17}$`

// uuid is an id in the shape of PIOPIY's and Wavix's. The role tells the ids of
// one call apart.
func (s *story) uuid(role, n int) string {
	return fmt.Sprintf("%s%02x%06x", mark(s.provider, s.seed), role, n)
}

// expect adds what should be there under a call id.
func (s *story) expect(id string, call *cdr.Call) *row {
	r := &row{source: s.provider, id: id, call: call}
	if call != nil {
		call.Source, call.CallID, call.Provider = s.provider, id, s.provider
	}
	s.rows = append(s.rows, r)
	return r
}

// send adds a delivery that comes a number of times, and returns when it came
// first. Some come late, so that those of one call overtake each other.
func (s *story) send(at time.Time, times int, d delivery) time.Time {
	delay := s.IntN(3000)
	if s.percent(15) {
		delay += s.IntN(60_000)
	}
	return s.sendAt(at.Add(time.Duration(delay)*time.Millisecond), times, d)
}

func (s *story) sendAt(at time.Time, times int, d delivery) time.Time {
	d.provider = s.provider
	d.at = at
	if d.records == 0 {
		d.records = 1
	}
	for pause := 3 * time.Second; times > 0; times-- {
		s.deliveries = append(s.deliveries, d)
		d.at = d.at.Add(pause + time.Duration(s.IntN(2000))*time.Millisecond)
		pause *= 4
	}
	return at
}

// garbage sends what can only be kept raw.
func (s *story) garbage(at time.Time, d delivery) {
	d.kind = "garbage"
	s.rejects++
	s.send(at, 1, d)
}

// oddity chooses, of 100, what strange thing comes by the way of a call; small
// numbers are rejects, large ones nothing. Rejects stop after a while, because a
// quarantine takes only so many.
func (s *story) oddity(n int) int {
	of100 := s.IntN(100)
	if n >= 10_000 {
		return 99
	}
	return of100
}

// times is how often a provider sends one thing: mostly once.
func (s *story) times() int {
	if s.percent(15) {
		return 2 + s.IntN(3)
	}
	return 1
}

func (s *story) percent(n int) bool { return s.IntN(100) < n }

// between returns a number from a to b, both included.
func (s *story) between(a, b int) int { return a + s.IntN(b-a+1) }

// object is a JSON object to be sent.
type object map[string]any

func (o object) json() []byte {
	b, _ := json.Marshal(o) // texts, numbers, objects
	return b
}

// with returns a copy with some fields set.
func (o object) with(more object) object {
	all := make(object, len(o)+len(more))
	for _, from := range []object{o, more} {
		for k, v := range from {
			all[k] = v
		}
	}
	return all
}

// broken is the JSON of an object without its end.
func (o object) broken() []byte {
	b := o.json()
	return b[:len(b)-5]
}

// post is a delivery of a JSON body.
func post(kind string, body []byte) delivery {
	return delivery{kind: kind, method: "POST", body: body, header: map[string]string{"Content-Type": "application/json"}}
}
