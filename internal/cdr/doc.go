// Package cdr is the vocabulary of cdrstore and its heart: what a delivery, an
// event and a call are, and how events become a call (Fold).
//
// It imports the standard library and decimal only. It knows no HTTP, no
// database, no clock and no provider's field names.
package cdr
