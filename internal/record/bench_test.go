package record_test

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkRead reads one live-event sized object, and a batch of large CDRs.
func BenchmarkRead(b *testing.B) {
	const small = `{"appid":2222224,"type":"cdr","status":"answered","direction":"inbound","leg":"a",` +
		`"cmiuuid":"4bf56c06-2a6d-11eb-adc1-0242ac120002","conversation_uuid":"4bf56c06-2a6d-11eb-adc1-0242ac120002",` +
		`"from":919999999999,"to":918888888888,"time":1778676340123,"start_time":1778676340,"answer_time":1778676345,` +
		`"end_time":1778676358,"duration":13,"call_rate":"0.450000","balance":"878.900000","extra_params":"{\"key\":\"value\"}"}`
	for _, c := range []struct{ name, body string }{
		{"object", small},
		{"thousand lines", strings.Repeat(wideLine(60)+"\n", 1000)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(c.body)))
			for b.Loop() {
				for p := range recordsOf(c.body) {
					if p.Record == nil {
						b.Fatal(p.Reason)
					}
				}
			}
		})
	}
}

// wideLine is an object of so many fields, half of them text.
func wideLine(n int) string {
	members := make([]string, n)
	for i := range members {
		members[i] = fmt.Sprintf(`"some_field_%d":%d.25`, i, i)
		if i%2 == 0 {
			members[i] = fmt.Sprintf(`"some_field_%d":"2025-02-14T14:36:58.843904"`, i)
		}
	}
	return `{"type":"inbound-cdr","attributes":{` + strings.Join(members, ",") + `}}`
}
