package simdb

import "github.com/larder-cache/larder/cmd/larder/internal/latency"

// Stats is what the database did. A query that was given up counts as failed
// only.
type Stats struct {
	Reads        int64           `json:"reads"`
	RowsRead     int64           `json:"rows_read"`
	Writes       int64           `json:"writes"`
	GroupUpdates int64           `json:"group_updates"`
	Failed       int64           `json:"failed"`
	PeakInUse    int             `json:"peak_connections_in_use"`
	Queued       int64           `json:"queued"`
	QueueWait    latency.Summary `json:"queue_wait"`
	Service      latency.Summary `json:"service"`
}

// Queries returns the number of queries of all kinds.
func (s Stats) Queries() int64 { return s.Reads + s.Writes + s.GroupUpdates }
