// Package spool is the local, synced log that takes deliveries while Postgres
// is away. What Append has taken survives a crash of the process and of the
// machine, and is read in order until it is Done.
//
// A spool is a directory:
//
//	00000000000000000001.spool   segments: frames one after another, see frame.go
//	position                     up to where the segments are Done
//	lock                         held by the process that owns the spool
//	damaged/                     drained segments in which something could not be read
//
// A frame may be read twice: one that was written but not acknowledged before a
// crash, and one that was Done when the position could not be written. What
// reads them must not mind.
//
// The package knows bytes and deliveries. It imports the standard library and
// package cdr, no other.
package spool
