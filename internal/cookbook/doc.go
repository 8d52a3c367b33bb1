// Package cookbook holds the tests of docs/cookbook.md and docs/billing.md: what
// these files show is run and compared, so that they stay true. There is no code
// in it, and nothing may import it.
package cookbook
