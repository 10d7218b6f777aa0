// Package simdb simulates a database that is worth a cache: queries take time,
// and only so many run at once.
package simdb

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
)

// Settings describe a database.
type Settings struct {
	Seed        uint64
	Rows        int
	GroupSize   int                    // rows that are updated together
	Body        func(id uint32) string // each row's text; nil is none
	Connections int
	Delay       Delay
}

// DB is a simulated database. Its methods may be called at once from many
// goroutines; those for whom no connection is free wait in line.
//
// A read sees the rows as they are when a connection takes it up, and a write
// commits when its time is over. That leaves a cache the widest room to store
// what has become old.
type DB struct {
	delay       Delay
	connections chan struct{}

	mu      sync.Mutex
	table   table
	rng     *rand.Rand
	inUse   int
	stats   Stats
	wait    latency.Recorder
	service latency.Recorder
}

// New returns a database in which every row has version 1.
func New(s Settings) *DB {
	return &DB{
		delay:       s.Delay,
		connections: make(chan struct{}, s.Connections),
		table:       newTable(s.Rows, s.GroupSize, s.Body),
		rng:         rand.New(rand.NewPCG(s.Seed, uint64(s.Rows))),
		wait:        latency.NewRecorder(),
		service:     latency.NewRecorder(),
	}
}

// GroupOf returns the group of a row, which never changes.
func (db *DB) GroupOf(id uint32) uint32 { return id / uint32(db.table.groupSize) }

// Read returns a row.
func (db *DB) Read(ctx context.Context, id uint32) (row Row, err error) {
	err = db.query(ctx,
		func() { row = db.table.rows[id] },
		func() { db.stats.Reads++; db.stats.RowsRead++ })
	return row, err
}

// ReadMany returns rows, in the order in which they are asked for, by one query.
func (db *DB) ReadMany(ctx context.Context, ids []uint32) (rows []Row, err error) {
	err = db.query(ctx,
		func() {
			rows = make([]Row, len(ids))
			for i, id := range ids {
				rows[i] = db.table.rows[id]
			}
		},
		func() { db.stats.Reads++; db.stats.RowsRead += int64(len(ids)) })
	return rows, err
}

// Write updates a row and returns it.
func (db *DB) Write(ctx context.Context, id uint32) (row Row, err error) {
	err = db.query(ctx, nil, func() {
		bump(db.table.rows[id : id+1])
		row = db.table.rows[id]
		db.stats.Writes++
	})
	return row, err
}

// UpdateGroup updates all rows of a group at once and returns them.
func (db *DB) UpdateGroup(ctx context.Context, group uint32) (rows []Row, err error) {
	err = db.query(ctx, nil, func() {
		bump(db.table.group(group))
		rows = append(rows, db.table.group(group)...)
		db.stats.GroupUpdates++
	})
	return rows, err
}

// query runs begin and end, each under the lock, with the query's time between
// them. What is given up never ends.
func (db *DB) query(ctx context.Context, begin, end func()) error {
	if err := db.connect(ctx); err != nil {
		return err
	}
	start := time.Now()
	db.mu.Lock()
	if begin != nil {
		begin()
	}
	d := db.delay.draw(db.rng)
	db.mu.Unlock()

	err := sleep(ctx, d)

	db.mu.Lock()
	if err == nil {
		end()
		db.service.Record(time.Since(start))
	} else {
		db.stats.Failed++
	}
	db.inUse--
	db.mu.Unlock()
	<-db.connections
	return err
}

// connect takes a connection.
func (db *DB) connect(ctx context.Context) error {
	start, queued := time.Now(), false
	select {
	case db.connections <- struct{}{}:
	default:
		queued = true
		select {
		case db.connections <- struct{}{}:
		case <-ctx.Done():
			db.mu.Lock()
			defer db.mu.Unlock()
			db.stats.Failed++
			return ctx.Err()
		}
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	db.inUse++
	db.stats.PeakInUse = max(db.stats.PeakInUse, db.inUse)
	if queued {
		db.stats.Queued++
		db.wait.Record(time.Since(start))
	} else {
		db.wait.Record(0)
	}
	return nil
}

// Progress returns the counts so far, without distributions, and the connections that
// are in use now.
func (db *DB) Progress() (s Stats, inUse int) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.stats, db.inUse
}

// TakeStats returns what the database did since it was last asked.
func (db *DB) TakeStats() Stats {
	db.mu.Lock()
	defer db.mu.Unlock()
	s := db.stats
	s.QueueWait, s.Service = db.wait.Summary(), db.service.Summary()
	db.wait.Reset()
	db.service.Reset()
	db.stats = Stats{PeakInUse: db.inUse}
	return s
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
