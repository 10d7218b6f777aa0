package aside_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// ring is Loaders of which the load of each asks the next for a key.
type ring struct {
	loaders []*aside.Loader[int, int]
	meet    func(i int) // is called by the load of the i-th before it asks
}

func newRing(n int, p invalidation.Policy) *ring {
	r := &ring{loaders: make([]*aside.Loader[int, int], n), meet: func(int) {}}
	for i := range n {
		r.loaders[i] = aside.New(memstore.New[int, int](nil, 10, nil), func(ctx context.Context, k int) (int, error) {
			r.meet(i)
			return r.loaders[(i+1)%n].Get(ctx, k)
		}, p, &aside.Options[int, int]{Name: string(rune('a' + i))})
	}
	return r
}

// A load that asks for what waits for it is told so at once.
func TestCycle_IsToldAtOnce(t *testing.T) {
	for _, p := range []invalidation.Policy{invalidation.TTL(time.Hour), {}} {
		for n, want := range map[int]string{1: "a[7] -> a[7]", 2: "b[7] -> a[7] -> b[7]", 5: "e[7] -> a[7] -> b[7] -> c[7] -> d[7] -> e[7]"} {
			synctest.Test(t, func(t *testing.T) {
				r := newRing(n, p)
				began := time.Now()
				_, err := r.loaders[0].Get(t.Context(), 7)
				if !errors.Is(err, cache.ErrLoadCycle) || !strings.Contains(err.Error(), want) {
					t.Errorf("a ring of %d: %v, want %s", n, err, want)
				}
				if took := time.Since(began); took != 0 {
					t.Errorf("it took %v", took)
				}
				for _, l := range r.loaders {
					if err := l.Close(t.Context()); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

// The loads of a cycle may have been begun by different callers.
func TestCycle_OfLoadsThatWereBegunApartIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRing(3, invalidation.TTL(time.Hour))
		var all sync.WaitGroup
		all.Add(3)
		r.meet = func(int) { all.Done(); all.Wait() }
		errs := make([]error, 3)
		began := time.Now()
		var callers sync.WaitGroup
		for i, l := range r.loaders {
			callers.Go(func() { _, errs[i] = l.Get(t.Context(), 7) })
		}
		callers.Wait()
		for i, err := range errs {
			if !errors.Is(err, cache.ErrLoadCycle) {
				t.Errorf("caller %d: %v", i, err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("it took %v", took)
		}
	})
}

func TestCycle_OfABatchIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *aside.Batch[int, int]
		b = aside.NewBatch(memstore.New[int, int](nil, 10, nil), func(ctx context.Context, keys []int) (map[int]int, error) {
			if keys[0] == 1 {
				return b.GetMany(ctx, []int{3, 4})
			}
			return b.GetMany(ctx, []int{2})
		}, invalidation.TTL(time.Hour), &aside.Options[int, int]{Name: "rows"})
		began := time.Now()
		_, err := b.GetMany(t.Context(), []int{1, 2})
		if !errors.Is(err, cache.ErrLoadCycle) || !strings.Contains(err.Error(), "rows[3 4] -> rows[1 2] -> rows[3 4]") || time.Since(began) != 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestCycle_PastTheCacheIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loads := 0
		var l *aside.Loader[int, int]
		l = aside.New(memstore.New[int, int](nil, 10, nil), func(ctx context.Context, k int) (int, error) {
			if loads++; loads == 10 {
				return 0, errors.New("it goes on and on")
			}
			return l.Get(ctx, k)
		}, invalidation.TTL(time.Hour), nil)
		if _, err := l.Get(cache.Bypass(t.Context()), 7); !errors.Is(err, cache.ErrLoadCycle) || loads != 1 {
			t.Errorf("%v after %d loads", err, loads)
		}
	})
}

// What is no cycle has its answer: other keys of the same Loader, in any depth, and two
// loads that want the same third.
func TestCycle_NestedLoadsAreNone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l *aside.Loader[int, int]
		l = aside.New(memstore.New[int, int](nil, 1000, nil), func(ctx context.Context, k int) (int, error) {
			time.Sleep(time.Millisecond)
			if k < 2 {
				return k, nil
			}
			a, err := l.Get(ctx, k-1)
			if err != nil {
				return 0, err
			}
			b, err := l.Get(ctx, k-2)
			return a + b, err
		}, invalidation.TTL(time.Hour), nil)
		var wg sync.WaitGroup
		for k := range 30 {
			wg.Go(func() {
				if _, err := l.Get(t.Context(), k); err != nil {
					t.Errorf("%d: %v", k, err)
				}
			})
		}
		wg.Wait()
		if v, err := l.Get(t.Context(), 29); v != 514229 || err != nil {
			t.Errorf("%v, %v", v, err)
		}
	})
}
