package console

import (
	"math/big"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

func TestFormats(t *testing.T) {
	t.Parallel()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	v := &view{Zone: tokyo, Now: noon()}
	numeric := func(text string) pgtype.Numeric {
		var n pgtype.Numeric
		if err := n.Scan(text); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct{ got, want string }{
		{v.Number(numeric("1234567.8900")), "1\u2009234\u2009567.8900"}, {v.Number(numeric("-0.000000001")), "−0.000000001"}, {v.Number(pgtype.Numeric{Int: big.NewInt(12), Exp: 5, Valid: true}), "1\u2009200\u2009000"},
		{v.Number(numeric("0.10")), "0.10"}, {v.Number(pgtype.Numeric{}), "–"}, {v.Number(int64(999)), "999"}, {v.Number(numeric("NaN")), "–"},
		{v.Number(numeric("123456789012345678901234.5")), "123\u2009456\u2009789\u2009012\u2009345\u2009678\u2009901\u2009234.5"},
		{v.Seconds(numeric("0")), "0:00"}, {v.Seconds(numeric("59.5")), "0:59.5"}, {v.Seconds(numeric("3661")), "1:01:01"}, {v.Seconds(numeric("0.0004")), "0:00.000"},
		{v.Seconds(pgtype.Numeric{}), "–"}, {v.Seconds(numeric("90000")), "25:00:00"}, {v.Seconds(pgtype.Numeric{Int: big.NewInt(12), Exp: 1, Valid: true}), "2:00"},
		{v.Time(noon()), "2026-11-20 21:00:00"}, {v.Time(pgtype.Timestamptz{}), "–"}, {v.Time(time.Time{}), "–"}, {v.ISO(noon()), "2026-11-20T21:00:00+09:00"}, {v.ISO(nil), ""},
		{v.Ago(noon().Add(-90 * time.Second)), "1 min 30 s ago"}, {v.Ago(noon().Add(49 * time.Hour)), "in 2 d 1 h"}, {v.Ago(noon()), "now"},
		{v.Bytes(0), "0 B"}, {v.Bytes(1023), "1023 B"}, {v.Bytes(1 << 20), "1.0 MiB"}, {v.Bytes(8 << 30), "8.0 GiB"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
