package pgarray

import (
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/cdrstore/cdrstore/internal/postgres/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), pgtest.Empty(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(t.Context()) })
	Register(conn.TypeMap())
	Register(conn.TypeMap()) // does no harm
	return conn
}

// read returns the elements of an array beside another column of so many rows, as
// Postgres writes them; null for null.
func read(t *testing.T, conn *pgx.Conn, kind string, array any, length int) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT coalesce(e::text, 'null') FROM (SELECT unnest($1::"+kind+") AS e, generate_series(1, $2)) r", array, length)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

func TestElements(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	if _, err := conn.Exec(t.Context(), "SET timezone = 'UTC'"); err != nil {
		t.Fatal(err)
	}
	yes, no, n := true, false, -7
	var texts Texts
	texts.Append("ä")
	texts.Append("")
	texts.AppendBytes([]byte(`{"a": null}`))
	texts.AppendOrNull("")
	texts.AppendOrNull("x")
	texts.AppendNull()
	var nothing Texts
	nothing.AppendNull()
	nothing.AppendOrNull("")
	var ids UUIDs
	ids.Append([16]byte{0xAB, 15: 1})
	var times Times
	times.Append(time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC))
	times.Append(time.Date(2026, 7, 1, 14, 0, 0, 123456789, time.FixedZone("", 7200)))
	times.Append(time.Time{})
	times.Append(time.Date(2200, 12, 31, 23, 59, 59, 999999000, time.UTC))
	var int4s Int4s
	int4s.Append(1 << 30)
	int4s.AppendOrNull(&n)
	int4s.AppendOrNull(nil)
	int4s.AppendCode(0)
	int4s.AppendCode(486)
	var int8s Int8s
	int8s.Append(-1 << 60)
	var bools Bools
	bools.AppendOrNull(&yes)
	bools.AppendOrNull(&no)
	bools.AppendOrNull(nil)
	for _, c := range []struct {
		kind  string
		array any
		want  []string
	}{
		{"_text", texts, []string{"ä", "", `{"a": null}`, "null", "x", "null"}},
		{"_text", Texts{}, nil},
		{"_text", []string{"as", "before"}, []string{"as", "before"}},
		{"_uuid", ids, []string{"ab000000-0000-0000-0000-000000000001"}},
		{"_timestamptz", times, []string{"1970-01-01 00:00:00+00", "2026-07-01 12:00:00.123456+00", "null", "2200-12-31 23:59:59.999999+00"}},
		{"_int4", int4s, []string{"1073741824", "-7", "null", "null", "486"}},
		{"_int8", int8s, []string{"-1152921504606846976"}},
		{"_bool", bools, []string{"true", "false", "null"}},
		{"_numeric", Decimals{}, nil},
		{"_text", nothing, []string{"null", "null"}},
	} {
		if is := read(t, conn, c.kind, c.array, len(c.want)); !slices.Equal(is, c.want) {
			t.Errorf("%s is %q, want %q", c.kind, is, c.want)
		}
	}
	if texts.Len() != 6 || times.Len() != 4 {
		t.Errorf("lengths %d and %d, want 6 and 4", texts.Len(), times.Len())
	}
}

// TestNothingIsSent: nulls take no space where there is nothing else.
func TestNothingIsSent(t *testing.T) {
	t.Parallel()
	var nothing Int4s
	nothing.AppendOrNull(nil)
	nothing.AppendOrNull(nil)
	if sent, want := nothing.encode(nil, 23), []byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 23}; !slices.Equal(sent, want) || nothing.Len() != 2 {
		t.Errorf("sent as % x, want % x; %d elements", sent, want, nothing.Len())
	}
}

// TestDecimals has Postgres read random decimals of all sizes back.
func TestDecimals(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	rapid.Check(t, func(rt *rapid.T) {
		var array Decimals
		var want []string
		for range rapid.IntRange(1, 30).Draw(rt, "elements") {
			if rapid.IntRange(0, 9).Draw(rt, "null") == 0 {
				array.AppendOrNull(decimal.NullDecimal{})
				want = append(want, "null")
				continue
			}
			coefficient, _ := new(big.Int).SetString(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30}0{0,9})`).Draw(rt, "coefficient"), 10)
			d := decimal.NewFromBigInt(coefficient, rapid.Int32Range(-40, 40).Draw(rt, "exponent"))
			array.AppendOrNull(decimal.NewNullDecimal(d))
			want = append(want, d.String())
		}
		if is := read(t, conn, "_numeric", array, len(want)); !slices.Equal(is, want) {
			rt.Fatalf("%q, want %q", is, want)
		}
	})
}

// TestReserve has the parameters of a statement arrive as they are without it.
func TestReserve(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	var texts Texts
	texts.Append(strings.Repeat("long", 500))
	var numbers Int4s
	numbers.Append(7)
	parameters := []any{texts, "as it was", numbers}
	var memory []byte
	if n := Reserve(&memory, parameters); n != 20+4+2000+20+4+4 {
		t.Errorf("%d bytes", n)
	}
	var text, between string
	var number int
	if err := conn.QueryRow(t.Context(), "SELECT ($1::_text)[1], $2::text, ($3::_int4)[1]", parameters...).Scan(&text, &between, &number); err != nil {
		t.Fatal(err)
	}
	if text != strings.Repeat("long", 500) || between != "as it was" || number != 7 {
		t.Errorf("%q, %q, %d", text, between, number)
	}
}

// TestReserveGivesUp has pgx build a statement of its own after a short one in
// memory of ours: it must not write there.
func TestReserveGivesUp(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	var numbers Int4s
	numbers.Append(7)
	parameters := []any{numbers}
	var memory []byte
	Reserve(&memory, parameters)
	if _, err := conn.Exec(t.Context(), "SELECT $1::_int4", parameters...); err != nil {
		t.Fatal(err)
	}
	ours := slices.Repeat([]byte{0xAA}, 100)
	copy(memory[:100], ours)
	if _, err := conn.Exec(t.Context(), "SELECT $1::text", strings.Repeat("theirs", 10)); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(memory[:100], ours) {
		t.Error("pgx writes into memory that it has no more")
	}
}

// TestEmpty fills columns again: nothing of before is left but their room.
func TestEmpty(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	var statement struct {
		Names, Unused Texts
		Numbers       Int4s
		Other         string
	}
	columns := ColumnsOf(&statement)
	if len(columns) != 3 {
		t.Fatalf("%d columns", len(columns))
	}
	for _, atMost := range []int{1 << 20, 0} {
		statement.Names.Append("first")
		statement.Names.AppendNull()
		statement.Numbers.Append(1)
		room := cap(statement.Names.elements)
		columns.Empty(atMost)
		if statement.Names.Len() != 0 || statement.Numbers.Len() != 0 || statement.Unused.Len() != 0 {
			t.Errorf("%+v", statement)
		}
		if kept := statement.Names.array != nil && cap(statement.Names.elements) == room; kept != (atMost > 0) {
			t.Errorf("of %d bytes, %d allowed: kept %t", room, atMost, kept)
		}
		statement.Names.Append("second")
		statement.Numbers.AppendOrNull(nil)
		names, numbers := read(t, conn, "_text", statement.Names, 1), read(t, conn, "_int4", statement.Numbers, 1)
		if !slices.Equal(names, []string{"second"}) || !slices.Equal(numbers, []string{"null"}) {
			t.Errorf("%q, %q", names, numbers)
		}
		columns.Empty(atMost)
	}
}
