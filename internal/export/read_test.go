package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
)

// These read the formats back, each row as text by column in the form of the
// CSV; nil is null. They know nothing of the code that writes.

// readCSV is strict about RFC 4180, and tells null from "".
func readCSV(t testing.TB, data string) []map[string]*string {
	t.Helper()
	var header []string
	var rows []map[string]*string
	for record := range csvRecords(t, data) {
		if header == nil {
			for _, name := range record {
				header = append(header, *name)
			}
			continue
		}
		if len(record) != len(header) {
			t.Fatalf("%d fields and not %d in row %d", len(record), len(header), len(rows)+1)
		}
		row := map[string]*string{}
		for i, name := range header {
			row[name] = record[i]
		}
		rows = append(rows, row)
	}
	return rows
}

func csvRecords(t testing.TB, data string) func(func([]*string) bool) {
	return func(yield func([]*string) bool) {
		var record []*string
		for len(data) > 0 {
			var field *string
			if strings.HasPrefix(data, `"`) {
				var text strings.Builder
				for data = data[1:]; ; data = data[1:] {
					before, after, ok := strings.Cut(data, `"`)
					if !ok {
						t.Fatal("a quote is not closed")
					}
					text.WriteString(before)
					if data = after; !strings.HasPrefix(data, `"`) {
						break
					}
					text.WriteByte('"')
				}
				whole := text.String()
				field = &whole
			} else if end := strings.IndexAny(data, ",\r"); end > 0 {
				text := data[:end]
				if strings.ContainsAny(text, "\"\n") {
					t.Fatalf("%q needs quotes", text)
				}
				field, data = &text, data[end:]
			}
			record = append(record, field)
			if after, ok := strings.CutPrefix(data, "\r\n"); ok {
				data = after
				if !yield(record) {
					return
				}
				record = nil
			} else if data, ok = strings.CutPrefix(data, ","); !ok {
				t.Fatalf("no comma and no CRLF before %.20q", data)
			}
		}
		if record != nil {
			t.Fatal("the last line has no end")
		}
	}
}

func readNDJSON(t testing.TB, data string) []map[string]*string {
	t.Helper()
	var rows []map[string]*string
	for line := range strings.Lines(data) {
		d := json.NewDecoder(strings.NewReader(line))
		d.UseNumber()
		var object map[string]json.RawMessage
		if err := d.Decode(&object); err != nil || !strings.HasSuffix(line, "}\n") {
			t.Fatalf("%v in %q", err, line)
		}
		row := map[string]*string{}
		for name, value := range object {
			text := string(value)
			switch {
			case text == "null":
				row[name] = nil
				continue
			case strings.HasPrefix(text, `"`):
				if err := json.Unmarshal(value, &text); err != nil {
					t.Fatal(err)
				}
			}
			row[name] = &text
		}
		rows = append(rows, row)
	}
	return rows
}

func readParquet(t testing.TB, data string) []map[string]*string {
	t.Helper()
	file, err := pq.OpenFile(strings.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	var rows []map[string]*string
	for _, g := range file.RowGroups() {
		reader := g.Rows()
		buffer := make([]pq.Row, 10)
		for {
			n, err := reader.ReadRows(buffer)
			for _, r := range buffer[:n] {
				row := map[string]*string{}
				for i, field := range file.Schema().Fields() {
					row[field.Name()] = parquetText(t, field, r[i])
				}
				rows = append(rows, row)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

func parquetText(t testing.TB, field pq.Field, v pq.Value) *string {
	t.Helper()
	if v.IsNull() {
		return nil
	}
	var text string
	switch logical := fmt.Sprint(field.Type()); logical {
	case "STRING", "JSON":
		text = string(v.ByteArray())
	case "TIMESTAMP(isAdjustedToUTC=true,unit=MICROS)":
		text = time.UnixMicro(v.Int64()).UTC().Format("2006-01-02T15:04:05.000000Z")
	case "DECIMAL(38,24)":
		text = decimalText(v.ByteArray())
	case "INT(64,true)":
		text = fmt.Sprint(v.Int64())
	case "BOOLEAN":
		text = fmt.Sprint(v.Boolean())
	default:
		t.Fatalf("column %s is %s", field.Name(), logical)
	}
	return &text
}

// decimalText is the number without zeros at its end.
func decimalText(b []byte) string {
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return plain(new(big.Rat).SetFrac(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(24), nil)).FloatString(24))
}

// plain takes the zeros off the end of a number.
func plain(number string) string {
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	if number == "-0" {
		return "0"
	}
	return number
}

func TestReadersAreStrict(t *testing.T) {
	t.Parallel()
	rows := readCSV(t, "a,b\r\n,\"\"\r\n\"x\"\"\r\n,\",y z\r\n")
	if len(rows) != 2 || rows[0]["a"] != nil || *rows[0]["b"] != "" || *rows[1]["a"] != "x\"\r\n," || *rows[1]["b"] != "y z" {
		t.Errorf("%v", rows)
	}
	for _, b := range [][]byte{bytes.Repeat([]byte{0xff}, 16), append(make([]byte, 15), 1)} {
		if got := decimalText(b); strings.TrimPrefix(got, "-") != "0.000000000000000000000001" {
			t.Error(got)
		}
	}
}
