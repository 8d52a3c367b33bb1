// Package record reads the body of a delivery into records: JSON objects in
// any grouping, forms and queries. It gives adapters typed access to a record's
// fields and notes what could not be read.
//
// It knows no provider and imports package cdr only.
package record
