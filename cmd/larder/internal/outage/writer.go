package outage

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/oracle"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// writers is how many invalidate at once. One would be held up by a server that
// does not answer.
const writers = 4

// writer commits new versions and invalidates what they replace.
type writer struct {
	to     *cached
	origin *origin
	oracle oracle.Oracle
	c      Config

	stop                 chan struct{}
	done                 sync.WaitGroup
	acknowledged, failed atomic.Int64
}

func (w *writer) start() {
	w.stop = make(chan struct{})
	for i := range writers {
		w.done.Go(func() { w.run(i) })
	}
}

func (w *writer) end() {
	close(w.stop)
	w.done.Wait()
}

func (w *writer) run(i int) {
	rng := rand.New(rand.NewPCG(w.c.Seed, uint64(1_000_000+i)))
	ranks := workload.NewZipf(rng, w.c.Keys, w.c.Zipf)
	period := time.Duration(writers / w.c.Writes * float64(time.Second))
	for n := 0; ; n++ {
		select {
		case <-time.After(period/2 + time.Duration(rng.Int64N(int64(period)+1))):
		case <-w.stop:
			return
		}
		key := uint64(ranks.Rank())
		if n%5 == 4 {
			w.group(key)
		} else {
			w.row(key)
		}
	}
}

func (w *writer) row(key uint64) {
	v := w.origin.write(key)
	if w.acknowledges(w.to.rows.Invalidate(context.Background(), key)) {
		w.oracle.Acknowledge(key, v)
	}
}

// group writes all rows of the group of a key.
func (w *writer) group(key uint64) {
	versions := make(map[uint64]uint64, groupSize)
	for k := key % w.c.groups(); k < uint64(w.c.Keys); k += w.c.groups() {
		versions[k] = w.origin.write(k)
	}
	if w.acknowledges(w.to.tags.InvalidateTags(context.Background(), w.c.tag(key))) {
		for k, v := range versions {
			w.oracle.Acknowledge(k, v)
		}
	}
}

// acknowledges counts an invalidation. One that gives an error has promised
// nothing.
func (w *writer) acknowledges(err error) bool {
	if err != nil {
		w.failed.Add(1)
		return false
	}
	w.acknowledged.Add(1)
	return true
}
