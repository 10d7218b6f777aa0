package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/larder-cache/larder/cache"
)

const (
	racers   = 4
	raceOps  = 300 // of each
	raceKeys = 3
)

// history is what is known of an origin that many read and write at once. Time
// is a counter, and the value of an entry is the moment at which its load began.
// A value is too old if it is less than the floor of its key, or of one of its
// tags: the moment at which the latest invalidation began that has returned.
type history struct {
	now    atomic.Int64
	keys   [raceKeys]atomic.Int64
	tags   [2 * raceKeys]atomic.Int64
	failed atomic.Bool
}

func (h *history) floor(key int) int64 {
	known, late := tagsOf(key)
	return max(h.keys[key].Load(), h.tags[known].Load(), h.tags[late].Load())
}

// tagsOf returns the tag of a key that is known before the load, and the one
// that comes with it.
func tagsOf(key int) (known, late int) { return key % 2, raceKeys + key%2 }

func raise(floor *atomic.Int64, to int64) {
	for have := floor.Load(); have < to && !floor.CompareAndSwap(have, to); have = floor.Load() {
	}
}

// racer is one of the goroutines.
type racer struct {
	*probe
	*history
	store  cache.Cache[string, string]
	rng    *rand.Rand
	losing bool
}

// race lets goroutines read, fill, write and invalidate a few keys.
func (p *probe) race(losing bool) {
	seed := p.Seed
	for seed == 0 {
		seed = rand.Uint64()
	}
	h := &history{}
	var wg sync.WaitGroup
	errs := make([]error, racers)
	for i := range errs {
		r := &racer{probe: p, history: h, store: p.Store, losing: losing, rng: rand.New(rand.NewPCG(seed, uint64(i)))}
		if i%2 == 1 && p.Peer != nil && !p.Behind {
			r.store = p.Peer
		}
		wg.Go(func() {
			for n := 0; n < raceOps && errs[i] == nil && !h.failed.Load(); n++ {
				errs[i] = r.step()
			}
			if errs[i] != nil {
				h.failed.Store(true)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		p.fail("seed %d: %w", seed, err)
	}
}

func (r *racer) step() error {
	key := r.rng.IntN(raceKeys)
	switch n := r.rng.IntN(100); {
	case n < 50:
		return r.load(key, n < 35)
	case n < 60:
		return r.readAll()
	case n < 74:
		return r.invalidateKey(key)
	case n < 84 && r.InvalidateTags != nil:
		return r.invalidateTag(r.rng.IntN(len(r.tags)))
	case n < 87 && r.losing:
		return r.Lose(r.ctx)
	}
	return r.write(key)
}

func name(key int) string { return "k" + strconv.Itoa(key) }
func tag(t int) string    { return "t" + strconv.Itoa(t) }

// check returns an error if e is older than the floor, read before e was asked
// for.
func check(call string, key int, e *entry, floor int64) error {
	if e == nil {
		return nil
	}
	began, err := strconv.ParseInt(e.Value, 10, 64)
	if err == nil && began < floor {
		err = fmt.Errorf("%s(%s) returned a value whose load began at %d, after an invalidation that began at %d had returned",
			call, name(key), began, floor)
	}
	return err
}

func (r *racer) load(key int, read bool) error {
	floor := r.floor(key)
	if read {
		e, err := r.store.Get(r.ctx, name(key))
		if e != nil || err != nil {
			return errors.Join(err, check("Get", key, e, floor))
		}
	}
	known, other := tagsOf(key)
	floor = r.floor(key)
	f, err := r.store.Reserve(r.ctx, lateTo(name(key), tag(known)))
	if err != nil {
		return err
	}
	if err := check("Found", key, f.Found(0), floor); err != nil {
		return err
	}
	began := r.now.Add(1)
	r.linger()
	if r.rng.IntN(10) == 0 {
		return f.Cancel(r.ctx)
	}
	_, err = f.Commit(r.ctx, r.value(began, tag(known), tag(other)))
	return err
}

// value returns an entry that is stale half of the time, so that it is loaded
// again.
func (r *racer) value(began int64, tags ...string) *entry {
	v := strconv.FormatInt(began, 10)
	if r.rng.IntN(2) == 0 {
		return stale(v, tags...)
	}
	return an(v, tags...)
}

func (r *racer) linger() {
	for range r.rng.IntN(8) {
		runtime.Gosched()
	}
}

func (r *racer) readAll() error {
	var floors [raceKeys]int64
	names := make([]string, raceKeys)
	for i := range floors {
		floors[i], names[i] = r.floor(i), name(i)
	}
	got, err := r.store.GetMany(r.ctx, names)
	for i, k := range names {
		err = errors.Join(err, check("GetMany", i, got[k], floors[i]))
	}
	return err
}

func (r *racer) invalidateKey(key int) error {
	began := r.now.Add(1)
	err := r.store.Invalidate(r.ctx, name(key))
	if err == nil {
		raise(&r.keys[key], began)
	}
	return err
}

func (r *racer) invalidateTag(t int) error {
	began := r.now.Add(1)
	err := r.InvalidateTags(r.ctx, tag(t))
	if err == nil {
		raise(&r.history.tags[t], began)
	}
	return err
}

// write is a write to the origin: what was loaded before it is too old once its
// quarantine has ended.
func (r *racer) write(key int) error {
	known, other := tagsOf(key)
	f, err := r.store.Quarantine(r.ctx, lateTo(name(key), tag(known)))
	if err != nil {
		return err
	}
	r.linger()
	if e, err := r.store.Get(r.ctx, name(key)); err != nil || e != nil && !r.losing {
		f.Cancel(r.ctx)
		return errors.Join(err, fmt.Errorf("Get(%s) returned %s during a quarantine", name(key), shown(e)))
	}
	began := r.now.Add(1)
	var e *entry
	if r.rng.IntN(3) > 0 {
		e = r.value(began, tag(known), tag(other))
	}
	if _, err = f.Commit(r.ctx, e); err == nil {
		raise(&r.keys[key], began)
	}
	return err
}
