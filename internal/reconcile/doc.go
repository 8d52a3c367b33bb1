// Package reconcile holds a provider's own files of call records against the
// tables: Import brings back CDRs that were never received, Files and Month say
// where both differ.
//
// It reads through the provider's adapter and writes through store.Save alone,
// as a delivery would. It may not import the generated package db, nor the
// receiver (api, ingest, spool).
package reconcile
