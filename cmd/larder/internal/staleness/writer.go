package staleness

import (
	"cmp"
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/fleet"
	"github.com/larder-cache/larder/cmd/larder/internal/oracle"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// writers is how many write at once, each its own keys. One would be held up by an
// invalidation that waits for a process which does not answer.
const writers = 4

// patience is how long Redis may take to answer the writer, on a machine that has more
// to do than a server of a cache should have.
const patience = 2 * time.Second

// writer is the parent as one that writes rows, invalidates them and reads them again.
type writer struct {
	user
	c         Config
	db        *simdb.DB
	library   bool
	histories [][]change // by key
	due       oracle.Oracle
	clock     time.Time // of the database, when that of the processes was:
	now       int64

	own, failed atomic.Int64
	mu          sync.Mutex
	first       error
}

func (r *run) open(ctx context.Context, k *way) (*writer, error) {
	u, err := k.open(ctx, setup{
		rdb: r.on.Client, heard: r.on.Client, namespace: r.namespace(k), read: r.database.DB().Read, lease: r.Lease, ttl: r.TTL, patience: patience,
	})
	if err != nil {
		return nil, err
	}
	return &writer{
		user: u, c: r.Config, db: r.database.DB(), library: k.library, histories: make([][]change, r.Keys), due: oracle.New(r.Keys),
		clock: time.Now(), now: fleet.Now(),
	}, nil
}

// start has the writers at work, and returns what ends that; it may be called again.
func (w *writer) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() { w.run(ctx, i) })
	}
	return func() {
		cancel()
		all.Wait()
	}
}

func (w *writer) run(ctx context.Context, i int) {
	rng := rand.New(rand.NewPCG(w.c.Seed, uint64(i)))
	period := time.Duration(writers / w.c.Writes * float64(time.Second))
	timer := time.NewTimer(time.Duration(rng.Int64N(int64(period) + 1)))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		w.one(uint32(i + writers*rng.IntN((w.c.Keys-i+writers-1)/writers)))
		timer.Reset(period/2 + time.Duration(rng.Int64N(int64(period)+1)))
	}
}

// one writes a row and invalidates it. It is not interrupted: what is begun is
// acknowledged or fails.
func (w *writer) one(key uint32) {
	ctx := context.Background()
	row, err := w.db.Write(ctx, key)
	if err != nil {
		w.fail(err)
		return
	}
	c := change{Version: row.Version, Commit: w.now + int64(row.Committed.Sub(w.clock))}
	if err := w.Invalidate(ctx, key); err != nil {
		w.fail(err)
	} else {
		c.Ack = fleet.Now()
		w.due.Acknowledge(uint64(key), row.Version)
	}
	w.histories[key] = append(w.histories[key], c)
	if !w.library {
		return
	}
	due := w.due.Due(uint64(key))
	switch row, err := w.Read(ctx, key); {
	case err != nil:
		w.fail(err)
	case row.Version < due:
		w.own.Add(1)
	}
}

func (w *writer) fail(err error) {
	w.failed.Add(1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first = cmp.Or(w.first, err)
}

// report adds what the writer knows. It is called after its end.
func (w *writer) report(o *outcome) {
	for _, h := range w.histories {
		o.writes += int64(len(h))
		for _, c := range h {
			if c.Ack != 0 {
				o.acks = append(o.acks, c.Ack-c.Commit)
			}
		}
	}
	o.own, o.failed = w.own.Load(), w.failed.Load()
	if o.first == "" && w.first != nil {
		o.first = w.first.Error()
	}
}

func (w *writer) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	w.user.Close(ctx) // what it could not repeat is of no interest now
}
