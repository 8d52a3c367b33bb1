// Package chaos proves, against the real program and real Postgres servers, that
// nothing acknowledged is lost and nothing doubled: receivers are killed,
// databases stopped, stalled and cut off, disks filled and clients ill-mannered,
// all under load, and then every row is compared with every answer.
//
// There is nothing in it but tests. `go test` runs a short version of each, and
// `make chaos` the long one.
package chaos
