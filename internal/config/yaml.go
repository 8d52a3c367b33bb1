package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// reader walks the nodes of the sources file. It goes on after a fault, so that
// all of them are reported; a fault names line and field, never a secret.
type reader struct {
	file     string
	lookup   func(string) (string, bool)
	loopback bool
	names    map[string]int // names and aliases so far, and their lines
	faults   []error
}

// field reads the value of one key; at is its name within the file.
type field func(n ast.Node, at string)

func (r *reader) fault(n ast.Node, at, format string, args ...any) {
	what := fmt.Errorf(format, args...)
	where := r.file
	if n != nil && n.GetToken() != nil {
		where = fmt.Sprintf("%s:%d", r.file, n.GetToken().Position.Line)
	}
	if at != "" {
		where += ": " + at
	}
	r.faults = append(r.faults, fmt.Errorf("%s: %w", where, what))
}

// syntax reports what the parser says, without its excerpt of the file, which
// could show a secret.
func (r *reader) syntax(err error) {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		err = fmt.Errorf("%s:%d: not YAML: %s", r.file, y.GetToken().Position.Line, y.GetMessage())
	} else {
		err = fmt.Errorf("%s: not YAML", r.file)
	}
	r.faults = append(r.faults, err)
}

// mapping reads the keys of a mapping; one that is not in fields is a fault.
func (r *reader) mapping(n ast.Node, at string, fields map[string]field) {
	known := strings.Join(slices.Sorted(maps.Keys(fields)), ", ")
	r.pairs(n, at, func(key, value ast.Node, name, at string) {
		read, ok := fields[name]
		if !ok {
			r.fault(key, at, "unknown key; known are %s", known)
			return
		}
		read(value, at)
	})
}

// pairs reads a mapping of any keys.
func (r *reader) pairs(n ast.Node, at string, read func(key, value ast.Node, name, at string)) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		r.fault(n, at, "must be a mapping of keys and values, not %s", kind(n))
		return
	}
	seen := map[string]bool{}
	for _, pair := range m.Values {
		name := written(pair.Key.GetToken().Value)
		child := strings.TrimPrefix(at+"."+name, ".")
		if seen[name] {
			r.fault(pair.Key, child, "is given twice")
			continue
		}
		seen[name] = true
		read(pair.Key, pair.Value, name, child)
	}
}

// items reads a list, or one value in the place of a list of one.
func (r *reader) items(n ast.Node, at string, read field) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		read(n, at)
		return
	}
	if len(list.Values) == 0 {
		r.fault(n, at, "is an empty list")
	}
	for i, v := range list.Values {
		read(v, fmt.Sprintf("%s[%d]", at, i))
	}
}

// text returns a scalar as it is written (country: NO is a country, token: 0123
// keeps its zero), with its variables expanded.
func (r *reader) text(n ast.Node, at string) (string, bool) {
	var s string
	switch n := n.(type) {
	case *ast.NullNode:
		r.fault(n, at, "has no value")
		return "", false
	case *ast.LiteralNode:
		s = n.Value.Value
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		s = n.GetToken().Value
	default:
		r.fault(n, at, "must be a single value, not %s", kind(n))
		return "", false
	}
	s, err := expand(s, r.lookup)
	if err != nil {
		r.fault(n, at, "%w", err)
	}
	return s, err == nil
}

func (r *reader) bool(n ast.Node, at string) bool {
	s, ok := r.text(n, at)
	if ok && s != "true" && s != "false" {
		r.fault(n, at, "must be true or false")
	}
	return s == "true"
}

func kind(n ast.Node) string {
	switch n.(type) {
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		return "an anchor, alias or tag, which are not supported here"
	}
	return "a single value"
}
