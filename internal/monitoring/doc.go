// Package monitoring holds no code: its files are what Prometheus and Grafana of
// the compose profile "monitoring" read, and its tests make sure that they fit the
// metrics and the tables. The tests may import what they like.
package monitoring
