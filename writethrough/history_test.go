package writethrough_test

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/writethrough"
)

// seed returns what a test draws its random numbers from, which LARDER_SEED
// repeats.
func seed(t *testing.T) uint64 {
	n := rand.Uint64()
	if s := os.Getenv("LARDER_SEED"); s != "" {
		var err error
		if n, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("LARDER_SEED: %v", err)
		}
	}
	t.Logf("LARDER_SEED=%d", n)
	return n
}

func dawdle(r *rand.Rand) {
	for range r.IntN(30) {
		runtime.Gosched()
	}
}

// A read that begins after a write has returned, in whatever way, has that
// version or a later one: with writers that overlap, fail after all, or delete.
func TestNoReadIsOlderThanTheLastWrite(t *testing.T) {
	history(t.Context(), memstore.New[int, row](nil, 100, nil), seed(t), 1500, t.Errorf)
}

// history has 16 workers write, delete and read through store, each in so many
// steps, and reports what should not have happened.
func history(ctx context.Context, store cache.Cache[int, row], s uint64, steps int, report func(string, ...any)) {
	var version, known [4]atomic.Int64
	var draws atomic.Uint64
	random := func() *rand.Rand { return rand.New(rand.NewPCG(s, draws.Add(1))) }
	touch := func(id int) (int, *rand.Rand) {
		r := random()
		dawdle(r)
		v := int(version[id].Add(1))
		dawdle(r)
		return v, r
	}
	policy := invalidation.Policy{Fresh: time.Millisecond, Stale: time.Hour}
	l := aside.New(store, func(_ context.Context, id int) (row, error) {
		v := int(version[id].Load())
		dawdle(random())
		return row{id, v}, nil
	}, policy, nil)
	w := writethrough.New(store, row.key, func(_ context.Context, in row) (row, error) {
		v, r := touch(in.id)
		if r.IntN(4) == 0 {
			return row{in.id, v}, errNo // and yet it is written
		}
		return row{in.id, v}, nil
	}, policy, nil)
	remove := writethrough.Delete(store, func(_ context.Context, id int) error {
		touch(id)
		return nil
	}, nil)

	var wg sync.WaitGroup
	for worker := range 16 {
		r := rand.New(rand.NewPCG(s, uint64(worker)<<32))
		wg.Go(func() {
			for range steps {
				id := r.IntN(len(known))
				switch r.IntN(8) {
				case 0, 1:
					out, err := w.Write(ctx, row{id, 0})
					if err != nil && err != errNo {
						report("Write: %v", err)
					}
					raise(&known[id], int64(out.version))
				case 2:
					least := version[id].Load()
					if err := remove(ctx, id); err != nil {
						report("delete: %v", err)
					}
					raise(&known[id], least+1)
				default:
					least := known[id].Load()
					got, err := l.Get(ctx, id)
					if err != nil || int64(got.version) < least {
						report("Get of %d is version %d, %v: %d was written before", id, got.version, err, least)
					}
				}
			}
		})
	}
	wg.Wait()
	if err := l.Close(ctx); err != nil {
		report("Close: %v", err)
	}
}

func raise(a *atomic.Int64, n int64) {
	for old := a.Load(); old < n && !a.CompareAndSwap(old, n); old = a.Load() {
	}
}
