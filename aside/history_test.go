package aside_test

import (
	"context"
	"errors"
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

// ledger is an origin whose values are version numbers, and what is known of
// them: the version that a write has made, and the version that every read has
// to reach, since its invalidation has returned.
type ledger struct {
	version, known [8]atomic.Int64
}

func raise(a *atomic.Int64, n int64) {
	for old := a.Load(); old < n && !a.CompareAndSwap(old, n); old = a.Load() {
	}
}

func dawdle(r *rand.Rand) {
	for range r.IntN(30) {
		runtime.Gosched()
	}
}

// A read never returns a version older than one whose invalidation had returned
// before the read began: whoever reads, however it was invalidated, and whatever
// the store fails at meanwhile.
func TestNoReadIsOlderThanTheLastInvalidation(t *testing.T) {
	for name, verbs := range map[string][]string{
		"store up":     nil,
		"store flaky":  {"Get", "GetMany", "Reserve", "Commit"},
		"store wedged": {"Get", "GetMany"},
	} {
		t.Run(name, func(t *testing.T) {
			s := seed(t)
			var odds atomic.Uint64
			p := newProbe(nil)
			fail := failing(errDown, verbs...)
			p.hook = func(verb string) error {
				if odds.Add(0x9e3779b97f4a7c15)>>62 == 0 || name == "store wedged" {
					return fail(verb)
				}
				return nil
			}
			subject{p, p, p.Domain().InvalidateTags, nil}.history(t.Context(), s, 1500, t.Errorf)
		})
	}
}

// subject is what a history is made with: the store of a Loader and that of a
// Batch, which share entries, and the way to invalidate tags of both.
type subject struct {
	one, many cache.Cache[int, int]
	tags      func(context.Context, ...string) error
	flip      *cache.Switch // of the Loader and the Batch
}

// history has 16 workers read, write and invalidate, each in so many steps, and
// reports what should not have happened.
func (s subject) history(ctx context.Context, seed uint64, steps int, report func(string, ...any)) {
	var l ledger
	var yield atomic.Uint64
	load := func(_ context.Context, key int) (int, error) {
		v := l.version[key].Load()
		dawdle(rand.New(rand.NewPCG(seed, yield.Add(1))))
		return int(v), nil
	}
	policy := invalidation.Policy{Fresh: time.Millisecond, Stale: time.Hour}
	tag := func(key int) []string { return []string{strconv.Itoa(key)} }
	late := &aside.Options[int, int]{Tags: func(key, _ int) []string { return tag(key) }, Switch: s.flip}
	one := aside.New(s.one, load, policy, &aside.Options[int, int]{KeyTags: tag, Switch: s.flip})
	many := aside.NewBatch(s.many, func(ctx context.Context, keys []int) (map[int]int, error) {
		rows := map[int]int{}
		for _, k := range keys {
			rows[k], _ = load(ctx, k)
		}
		return rows, nil
	}, policy, late)
	unstored := aside.New(s.one, load, invalidation.Policy{}, late)

	wishes := []aside.Wish{{}, {MaxAge: time.Millisecond}, {MaxStale: aside.NoStale}, {MaxStale: time.Minute}, {CacheOnly: true}, {Bypass: true}}

	var wg sync.WaitGroup
	for worker := range 16 {
		r := rand.New(rand.NewPCG(seed, uint64(worker)<<32))
		wg.Go(func() {
			for range steps {
				key := r.IntN(len(l.known))
				other := (key + 1) % len(l.known)
				least, leastOther := l.known[key].Load(), l.known[other].Load()
				check := func(who string, key, got int, least int64, err error) {
					if err != nil || int64(got) < least {
						report("%s of %d is version %d, %v: version %d was invalidated before", who, key, got, err, least)
					}
				}
				switch r.IntN(10) {
				case 0, 1:
					v := l.version[key].Add(1)
					dawdle(r)
					// By key or by tag, never both: either alone must do.
					var err error
					switch r.IntN(3) {
					case 0:
						err = s.tags(ctx, tag(key)...)
					case 1:
						err = one.Invalidate(ctx, key)
					default:
						err = many.Invalidate(ctx, key)
					}
					if err == nil {
						raise(&l.known[key], v)
					}
				case 2, 3, 4:
					got, err := many.GetMany(ctx, []int{key, other})
					check("GetMany", key, got[key], least, err)
					check("GetMany", other, got[other], leastOther, err)
				case 5:
					ctx, cancel := context.WithCancel(ctx)
					go cancel()
					if got, err := one.Get(ctx, key); err == nil {
						check("a hasty Get", key, got, least, err)
					}
				case 6:
					got, err := unstored.Get(ctx, key)
					check("an unstored Get", key, got, least, err)
				case 7:
					got, err := one.Lookup(ctx, key, wishes[r.IntN(len(wishes))])
					if errors.Is(err, cache.ErrNotCached) {
						continue
					}
					check("Lookup", key, got.Value, least, err)
				default:
					got, err := one.Get(ctx, key)
					check("Get", key, got, least, err)
				}
			}
		})
	}
	wg.Wait()
	for _, close := range []func(context.Context) error{one.Close, many.Close, unstored.Close} {
		if err := close(ctx); err != nil {
			report("Close: %v", err)
		}
	}
}
