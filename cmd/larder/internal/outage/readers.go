package outage

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/oracle"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// sample is one read.
type sample struct {
	at, took time.Duration
	// hit says that the cache had the value, failed that it could not be asked.
	hit, failed bool
	// lost is a read that gave an error, stale one that gave what it must not.
	lost, stale bool
}

// group is goroutines that read in one way.
type group struct {
	rows    *loader
	oracle  oracle.Oracle
	clock   clock
	hits    *buckets // nil if nobody asks
	rate    float64  // planned reads a second, of all
	readers int
	seed    uint64
	keys    int
	zipf    float64

	stop    chan struct{}
	done    sync.WaitGroup
	samples [][]sample // by reader
	errs    atomic.Pointer[error]
}

// start sets the readers off, each at a time of its own.
func (g *group) start() {
	g.stop = make(chan struct{})
	g.samples = make([][]sample, g.readers)
	for i := range g.readers {
		g.done.Go(func() { g.samples[i] = g.run(i) })
	}
}

// end stops the readers when their reads are over, and returns what they have
// seen.
func (g *group) end() (all []sample) {
	close(g.stop)
	g.done.Wait()
	for _, s := range g.samples {
		all = append(all, s...)
	}
	return all
}

// run is one reader. It keeps to its plan, but for what it could not begin
// because it was waiting: that it leaves out, so that its rate falls when reads
// are slow and it is never behind.
func (g *group) run(i int) (samples []sample) {
	rng := rand.New(rand.NewPCG(g.seed, uint64(i)))
	ranks := workload.NewZipf(rng, g.keys, g.zipf)
	period := time.Duration(float64(g.readers) / g.rate * float64(time.Second))
	next := time.Now().Add(rand.N(period))
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-g.stop:
			return samples
		}
		samples = append(samples, g.read(uint64(ranks.Rank())))
		next = next.Add(period/2 + time.Duration(rng.Int64N(int64(period)+1)))
		if now := time.Now(); next.Before(now) {
			next = now
		}
		timer.Reset(time.Until(next))
	}
}

// read reads a key, measures it and checks what comes.
func (g *group) read(key uint64) sample {
	var n note
	ctx := context.WithValue(context.Background(), noteKey{}, &n)
	due := g.oracle.Due(key)
	s := sample{at: g.clock.now()}
	if g.hits != nil {
		g.hits.read(s.at)
	}
	r, err := g.rows.Get(ctx, key)
	s.took = g.clock.now() - s.at
	if err == nil && r.Key != key {
		err = fmt.Errorf("row %d was read and row %d came", key, r.Key)
	}
	if err != nil {
		s.lost = true
		g.errs.CompareAndSwap(nil, &err)
	}
	s.hit, s.failed = n.hit, n.failed
	s.stale = err == nil && r.Version < due
	if g.hits != nil && s.hit {
		g.hits.hit(s.at)
	}
	return s
}

// firstError returns one of the errors that reads gave, or nil.
func (g *group) firstError() error {
	if p := g.errs.Load(); p != nil {
		return *p
	}
	return nil
}
