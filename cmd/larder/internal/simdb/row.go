package simdb

import "time"

// Row is one row of the database. Its version grows by one with each update.
type Row struct {
	ID        uint32
	Group     uint32
	Version   uint64
	Committed time.Time // when this version was
	Body      string
}

// table is the rows, divided into groups of consecutive ids.
type table struct {
	rows      []Row
	groupSize int
}

func newTable(rows, groupSize int, body func(id uint32) string) table {
	t := table{make([]Row, rows), groupSize}
	now := time.Now()
	for i := range t.rows {
		t.rows[i] = Row{ID: uint32(i), Group: uint32(i / groupSize), Version: 1, Committed: now}
		if body != nil {
			t.rows[i].Body = body(uint32(i))
		}
	}
	return t
}

func (t *table) group(g uint32) []Row {
	first := int(g) * t.groupSize
	return t.rows[first:min(first+t.groupSize, len(t.rows))]
}

func bump(rows []Row) {
	now := time.Now()
	for i := range rows {
		rows[i].Version++
		rows[i].Committed = now
	}
}
