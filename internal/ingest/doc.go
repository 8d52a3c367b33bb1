// Package ingest takes deliveries to the database: it has them decoded, gathers
// what many requests bring into one transaction, and answers each when its part
// can no longer be lost.
//
// It imports provider, store and spool; it knows no HTTP.
package ingest
