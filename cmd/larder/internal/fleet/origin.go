package fleet

import (
	"context"
	"errors"
	"sync"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// Question is what a process asks the one database, which is in the parent.
type Question struct {
	N   uint64 // of the question, in the process
	Row uint32
	At  int64 // when it was asked, see Now
}

// Reply is what the database says.
type Reply struct {
	N   uint64
	Row simdb.Row
	Err string `json:",omitempty"`
}

// Origin is the database as a process sees it. Its methods may be called by several
// goroutines.
type Origin struct {
	ask func(Question)

	mu      sync.Mutex
	asked   uint64
	waiting map[uint64]chan Reply
}

// NewOrigin returns an Origin that asks by calling ask, and is given the replies by
// Reply.
func NewOrigin(ask func(Question)) *Origin {
	return &Origin{ask: ask, waiting: map[uint64]chan Reply{}}
}

// Read returns a row. It costs a line to the parent and one back, beside the time of
// the query.
func (o *Origin) Read(ctx context.Context, row uint32) (simdb.Row, error) {
	answer := make(chan Reply, 1)
	o.mu.Lock()
	o.asked++
	n := o.asked
	o.waiting[n] = answer
	o.mu.Unlock()
	o.ask(Question{n, row, Now()})
	select {
	case r := <-answer:
		if r.Err != "" {
			return simdb.Row{}, errors.New(r.Err)
		}
		return r.Row, nil
	case <-ctx.Done():
		o.mu.Lock()
		delete(o.waiting, n)
		o.mu.Unlock()
		return simdb.Row{}, ctx.Err()
	}
}

// Reply hands a reply to who waits for it, if anybody does.
func (o *Origin) Reply(r Reply) {
	o.mu.Lock()
	answer := o.waiting[r.N]
	delete(o.waiting, r.N)
	o.mu.Unlock()
	if answer != nil {
		answer <- r
	}
}

// Answer asks a database in the parent what a process wants to know.
func (q Question) Answer(ctx context.Context, db *simdb.DB) Reply {
	row, err := db.Read(ctx, q.Row)
	r := Reply{N: q.N, Row: row}
	if err != nil {
		r.Err = err.Error()
	}
	return r
}
