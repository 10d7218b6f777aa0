package aside_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/invalidation"
)

// Whatever the origin fails at, and however long it takes: what is returned is not
// older than an invalidation that had returned before the read began.
func TestNoReadIsOlderThanTheLastInvalidationWhileTheOriginFails(t *testing.T) {
	seed := seed(t)
	policy := invalidation.Policy{Fresh: time.Millisecond, Stale: time.Millisecond, IfError: time.Hour, Backoff: time.Millisecond}
	var l ledger
	var salt atomic.Uint64
	var served atomic.Int64
	load := func(ctx context.Context, key int) (int, error) {
		r := rand.New(rand.NewPCG(seed, salt.Add(1)))
		v := int(l.version[key].Load())
		dawdle(r)
		switch r.IntN(4) {
		case 0:
			return 0, errOrigin
		case 1:
			time.Sleep(2 * time.Millisecond) // longer than anybody waits
		}
		if old, ok := aside.Old[int](ctx); ok && old == v {
			return 0, notModified
		}
		return v, nil
	}
	store := newProbe(nil)
	opts := &aside.Options[int, int]{SoftTimeout: 100 * time.Microsecond, Limits: aside.Limits{Loads: 4, Queue: 2}}
	one := aside.New(store, load, policy, opts)
	many := aside.NewBatch(store, func(ctx context.Context, keys []int) (map[int]int, error) {
		rows := map[int]int{}
		for _, k := range keys {
			v, err := load(ctx, k)
			if err != nil {
				return rows, err
			}
			rows[k] = v
		}
		return rows, nil
	}, policy, opts)
	var wg sync.WaitGroup
	for worker := range 16 {
		r := rand.New(rand.NewPCG(seed, uint64(worker)<<32))
		wg.Go(func() {
			for range 600 {
				key := r.IntN(len(l.known))
				least := l.known[key].Load()
				check := func(got int, err error) {
					switch {
					case err != nil:
					case int64(got) < least:
						t.Errorf("version %d of %d was read, and %d invalidated before", got, key, least)
					default:
						served.Add(1)
					}
				}
				switch r.IntN(6) {
				case 0:
					v := l.version[key].Add(1)
					dawdle(r)
					if one.Invalidate(t.Context(), key) == nil {
						raise(&l.known[key], v)
					}
				case 1, 2:
					if rows, err := many.GetMany(t.Context(), []int{key, (key + 1) % len(l.known)}); len(rows) > 0 {
						if v, ok := rows[key]; ok {
							check(v, nil)
						}
					} else if err == nil {
						t.Error("rows are missing and there is no error")
					}
				default:
					check(one.Get(t.Context(), key))
				}
				if r.IntN(8) == 0 {
					time.Sleep(time.Millisecond) // values grow old
				}
			}
		})
	}
	wg.Wait()
	one.Close(t.Context())
	many.Close(t.Context())
	if served.Load() < 1000 {
		t.Errorf("only %d reads had an answer", served.Load())
	}
}
