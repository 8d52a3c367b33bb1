package export

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// kind is what the formats tell apart.
type kind int

const (
	text    kind = iota // also every type that is not named here, as Postgres writes it
	moment              // timestamptz
	number              // numeric
	integer             // whole numbers of up to 64 bits
	boolean
	document // json, jsonb, and arrays as JSON
)

// column is one of a relation.
type column struct {
	name string
	kind kind
	sql  string // how it is selected
}

// describe returns the columns of a relation that are asked for by name; without
// names all of them.
func describe(ctx context.Context, conn *pgx.Conn, r relation, names []string) ([]column, error) {
	described, err := conn.PgConn().Prepare(ctx, "", "SELECT * FROM "+r.name, nil)
	if err != nil {
		return nil, fmt.Errorf("read the columns of %s: %w", r.name, err)
	}
	var all []column
	for _, f := range described.Fields {
		all = append(all, newColumn(conn.TypeMap(), f.Name, f.DataTypeOID))
	}
	if len(names) == 0 {
		return all, nil
	}
	var chosen []column
	for _, name := range names {
		name = strings.TrimSpace(name)
		at := slices.IndexFunc(all, func(c column) bool { return c.name == name })
		if at < 0 {
			return nil, fmt.Errorf("--columns: %s has no column %q, only %s", r.name, name, list(all))
		}
		if slices.Contains(chosen, all[at]) {
			return nil, fmt.Errorf("--columns: %s is there twice", name)
		}
		chosen = append(chosen, all[at])
	}
	return chosen, nil
}

func newColumn(types *pgtype.Map, name string, oid uint32) column {
	c := column{name: name, kind: kindOf(oid), sql: pgx.Identifier{name}.Sanitize()}
	if t, ok := types.TypeForOID(oid); ok {
		if _, array := t.Codec.(*pgtype.ArrayCodec); array {
			c.kind, c.sql = document, "to_json("+c.sql+")"
		}
	}
	return c
}

func kindOf(oid uint32) kind {
	switch oid {
	case pgtype.TimestamptzOID:
		return moment
	case pgtype.NumericOID:
		return number
	case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
		return integer
	case pgtype.BoolOID:
		return boolean
	case pgtype.JSONOID, pgtype.JSONBOID:
		return document
	}
	return text
}

func list(columns []column) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return strings.Join(names, ", ")
}
