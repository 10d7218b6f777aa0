package aside_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// rogue is a store, an Observer and a Domain of which one function does not return.
type rogue struct {
	cache.Cache[int, int]
	at  atomic.Value // string
	end func()
}

func (r *rogue) here(at string) {
	if r.at.Load() == at {
		r.end()
	}
}

func (r *rogue) Observe(e cache.Event) { r.here("Observe " + e.Kind.String()) }

func (r *rogue) AtLeast(context.Context, string) error { r.here("AtLeast"); return nil }

func (r *rogue) Get(ctx context.Context, k int) (*cache.Entry[int], error) {
	r.here("Get")
	return r.Cache.Get(ctx, k)
}

func (r *rogue) GetMany(ctx context.Context, keys []int) (map[int]*cache.Entry[int], error) {
	r.here("GetMany")
	return r.Cache.GetMany(ctx, keys)
}

func (r *rogue) Reserve(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[int], error) {
	r.here("Reserve")
	f, err := r.Cache.Reserve(ctx, slots...)
	return &rogueFill{f, r}, err
}

func (r *rogue) Invalidate(ctx context.Context, keys ...int) error {
	r.here("Invalidate")
	return r.Cache.Invalidate(ctx, keys...)
}

type rogueFill struct {
	cache.Fill[int]
	r *rogue
}

func (f *rogueFill) Found(i int) *cache.Entry[int] { f.r.here("Found"); return f.Fill.Found(i) }

func (f *rogueFill) Commit(ctx context.Context, entries ...*cache.Entry[int]) ([]cache.Outcome, error) {
	f.r.here("Commit")
	return f.Fill.Commit(ctx, entries...)
}

func (f *rogueFill) Cancel(ctx context.Context) error { f.r.here("Cancel"); return f.Fill.Cancel(ctx) }

func (f *rogueFill) Validate(ctx context.Context) ([]bool, error) {
	f.r.here("Validate")
	return cache.Validate(ctx, f.Fill)
}

// Whatever a store of somebody else's, or an Observer, does on whichever goroutine: the
// process goes on, nobody waits in vain, and the next call finds a place among the loads.
func TestHooks_AStoreOrObserverThatDoesNotReturnLeavesNobodyWaiting(t *testing.T) {
	at := []string{"Get", "GetMany", "Reserve", "Invalidate", "Found", "Commit", "Cancel", "Validate", "AtLeast"}
	for _, k := range cache.Kinds() {
		at = append(at, "Observe "+k.String())
	}
	for _, at := range at {
		for name, end := range hookEnds {
			for _, linearizable := range []bool{false, true} {
				t.Run(fmt.Sprint(at, "/", name, "/", linearizable), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { rogueReads(t, at, end, linearizable) })
				})
			}
		}
	}
}

func rogueReads(t *testing.T, at string, end func(), linearizable bool) {
	r := &rogue{Cache: memstore.New[int, int](nil, 100, nil), end: end}
	var version atomic.Int64
	var fails atomic.Bool
	sw := cache.NewSwitch(nil)
	p := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, Backoff: time.Minute, Negative: time.Minute}
	if linearizable {
		p.Stale = 0
	}
	o := &aside.Options[int, int]{Observer: r, Linearizable: linearizable, Domain: r, Switch: sw, NotFound: cache.ErrNotFound, LoadTimeout: time.Second,
		Limits: aside.Limits{Loads: 1, Refreshes: 1}}
	one := func(context.Context, int) (int, error) {
		if fails.Load() {
			return 0, errors.New("no")
		}
		return int(version.Load()), nil
	}
	l := aside.New(r, one, p, o)
	b := aside.NewBatch(r, func(ctx context.Context, keys []int) (map[int]int, error) {
		out := map[int]int{}
		for _, k := range keys {
			v, err := one(ctx, k)
			if err != nil {
				return nil, err
			}
			out[k] = v
		}
		return out, nil
	}, p, o)
	ctx := t.Context()
	calls := func(k int) {
		for _, call := range []func(){
			func() { l.Get(ctx, k) },
			func() { l.Lookup(ctx, k, aside.Wish{AtLeast: token(t), MaxAge: time.Second}) },
			func() { l.Get(cache.Bypass(ctx), k) },
			func() { b.Get(ctx, k+1) },
			func() { b.GetMany(ctx, []int{k + 1, k + 2, k + 3}) },
			func() { l.Invalidate(ctx, k) },
			func() { l.Get(ctx, k) },
		} {
			apart(func() {
				defer func() { recover() }() // of the store, on the goroutine of its caller
				call()
			})
			synctest.Wait()
		}
	}
	r.at.Store("")
	calls(10) // so that there is something
	r.at.Store(at)
	for _, mode := range []cache.Mode{cache.ModeOn, cache.ModeShadow, cache.ModeBypass} {
		sw.Set(mode, 50)
		for _, failing := range []bool{false, true, false} {
			fails.Store(failing)
			calls(10)
			time.Sleep(90 * time.Second) // it is stale, and a back-off is over
			calls(10)
			calls(20)
		}
	}
	r.at.Store("")
	sw.Set(cache.ModeOn, 0)
	fails.Store(false)
	time.Sleep(time.Hour)
	version.Store(2)
	for _, k := range []int{10, 11, 20, 21} {
		if err := l.Invalidate(ctx, k); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	for _, k := range []int{10, 20} {
		if v, err := l.Get(ctx, k); v != 2 || err != nil {
			t.Errorf("Get is %v, %v", v, err)
		}
		if got, err := b.GetMany(ctx, []int{k + 1, k}); got[k+1] != 2 || got[k] != 2 || err != nil {
			t.Errorf("GetMany is %v, %v", got, err)
		}
	}
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	for _, close := range []func(context.Context) error{l.Close, b.Close} {
		if err := close(ctx); err != nil {
			t.Error(err)
		}
	}
}

// token returns one of a session in which something was written.
func token(t *testing.T) string {
	ctx, s := invalidation.NewSession(t.Context())
	_, control := invalidation.NewRemoteDomain(nil, invalidation.RemoteOptions{Lanes: 1})
	control.Note(ctx, invalidation.Mark{Space: "s", Line: "0123456789abcdef"})
	return s.Token()
}
