package console

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// cell is a column of a row and its value as Postgres writes it in JSON; nil is
// null.
type cell struct {
	Name  string
	Value *string
}

// row is a row of a table, in the order of its columns.
type row []cell

// readRow reads what row_to_json gives: an object of texts, numbers, booleans
// and nulls. Digits of numbers stay as they are.
func readRow(document []byte) (row, error) {
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("read a row: %w", err)
	}
	var r row
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read a row: %w", err)
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return nil, fmt.Errorf("read a row: column %v: %w", name, err)
		}
		c := cell{Name: fmt.Sprint(name)}
		if value != nil {
			text := fmt.Sprint(value)
			c.Value = &text
		}
		r = append(r, c)
	}
	return r, nil
}

// text is the value of a column; empty where it is null or missing.
func (r row) text(name string) string {
	for _, c := range r {
		if c.Name == name && c.Value != nil {
			return *c.Value
		}
	}
	return ""
}
