package record_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/record"
)

// TestMemory reads random deliveries in one memory, whose shapes and indexes are
// those of the objects before. They say the same as in a memory of their own, and
// as their payloads, which have neither.
func TestMemory(t *testing.T) {
	t.Parallel()
	var memory record.Memory
	rapid.Check(t, func(rt *rapid.T) {
		d := body(rapid.Custom(drawBody).Draw(rt, "body"))
		var used, fresh []string
		for p := range memory.Read(&d, d.Body) {
			used = append(used, told(p.Record))
			if p.Record.IsForm() {
				continue
			}
			plain, err := record.FromPayload(p.Record.Payload())
			if err != nil || told(plain) != told(p.Record) {
				rt.Fatalf("%s: %v\n%s\n%s", p.Raw, err, told(p.Record), told(plain))
			}
		}
		for p := range record.Read(d) {
			fresh = append(fresh, told(p.Record))
		}
		if !slices.Equal(used, fresh) {
			rt.Fatalf("%s:\n%q\n%q", d.Body, used, fresh)
		}
	})
}

// names are few, so that objects often have the same, in another order or twice;
// some begin to look for their place in an index where others do.
func names() []string {
	return []string{"", "a", "b", "ab", "ba", "aab", "abb", "abab", "abbb", "amount", "rate", "a_rate", "b_rate"}
}

// drawBody makes a form, or objects with more or fewer members, some in others.
func drawBody(t *rapid.T) string {
	if rapid.IntRange(0, 3).Draw(t, "form") == 0 {
		var pairs []string
		for range rapid.IntRange(1, 30).Draw(t, "pairs") {
			pairs = append(pairs, "x"+rapid.SampledFrom(names()).Draw(t, "name")+"="+rapid.StringMatching(`[a-c]{0,3}`).Draw(t, "text"))
		}
		return strings.Join(pairs, "&")
	}
	var objects []string
	for range rapid.IntRange(1, 4).Draw(t, "objects") {
		objects = append(objects, drawObject(t, 2))
	}
	return strings.Join(objects, "\n")
}

func drawObject(t *rapid.T, depth int) string {
	size := rapid.SampledFrom([]int{0, 1, 3, 16, 17, 40, 128, 129, 200}).Draw(t, "members")
	members := make([]string, size)
	for i := range members {
		name := rapid.SampledFrom(names()).Draw(t, "name")
		if rapid.Bool().Draw(t, "numbered") {
			name += fmt.Sprint(i)
		}
		value := fmt.Sprint(i)
		if depth > 0 && rapid.IntRange(0, 30).Draw(t, "nested") == 0 {
			value = drawObject(t, depth-1)
		}
		members[i] = fmt.Sprintf("%q:%s", name, value)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// told is what a record says: its canonical form, and what its names stand for
// when they are asked for one after another.
func told(r *record.Record) string {
	f := r.Fields()
	said := []string{string(r.Canonical([]string{"ab"}))}
	for _, name := range names() {
		said = append(said, f.Text("x"+name), f.Opaque(name), f.Object(name).Opaque("a"), f.Opaque(name+"7"))
	}
	said = append(said, string(r.Canonical(nil))) // an object has an index now
	return strings.Join(append(said, f.Problems()...), "|")
}
