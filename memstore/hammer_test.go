package memstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Everything at once, on few keys and on a store that has to grow and to evict:
// a hit has the value of its key, no older than what was invalidated before it began.
func TestEverythingAtOnce(t *testing.T) {
	for _, capacity := range []int{1, 7, 300, 3000} {
		for eviction := range Adaptive + 1 {
			t.Run(fmt.Sprintf("%d/%v", capacity, eviction), func(t *testing.T) {
				hammer(t, capacity, Options[int, stamped]{Eviction: eviction})
			})
			t.Run(fmt.Sprintf("%d/%v/weight", 9*capacity, eviction), func(t *testing.T) {
				hammer(t, 9*capacity, Options[int, stamped]{Eviction: eviction, Weight: func(k int, v stamped) int {
					return (k + int(v.version)) % 20
				}})
			})
		}
	}
}

type stamped struct {
	key     int
	version int64
}

func hammer(t *testing.T, capacity int, o Options[int, stamped]) {
	const keys = 1000
	steps := 20_000
	if o.Eviction != LRU || o.Weight != nil {
		steps = 5000 // the rest is the same
	}
	ctx, seed := t.Context(), rand.Uint64()
	o.OnEvict = func(k int, e *cache.Entry[stamped], _ Reason) {
		if e.Value.key != k {
			t.Errorf("seed %d: %d leaves as %d", seed, e.Value.key, k)
		}
	}
	s := New(nil, capacity, &o)
	var origin, done [keys]atomic.Int64 // versions that exist, and that were invalidated
	var wg sync.WaitGroup
	var hits atomic.Int64
	for g := range 8 {
		r := rand.New(rand.NewPCG(seed, uint64(g)))
		wg.Go(func() {
			for range steps {
				k := int(r.ExpFloat64()*40) % keys
				switch n := r.IntN(1000); {
				case n < 700:
					least := done[k].Load()
					if e, err := s.Get(ctx, k); err != nil {
						t.Errorf("seed %d: %v", seed, err)
					} else if e != nil {
						hits.Add(1)
						if e.Value.key != k || e.Value.version < least {
							t.Errorf("seed %d: key %d gives %+v after version %d", seed, k, e.Value, least)
						}
					}
				case n < 900:
					f, err := s.Reserve(ctx, cache.Slot[int]{Key: k, Tags: []string{"a"}})
					if err != nil {
						t.Errorf("seed %d: %v", seed, err)
						continue
					}
					now := cache.Now()
					f.Commit(ctx, &cache.Entry[stamped]{Value: stamped{k, origin[k].Load()}, Tags: []string{"a"},
						Fresh: now, Expires: now.Add(time.Duration(r.IntN(40)) * time.Millisecond)})
				case n < 960:
					v := origin[k].Add(1)
					if s.Invalidate(ctx, k) == nil {
						raise(&done[k], v)
					}
				case n < 990:
					f, err := s.Quarantine(ctx, cache.Slot[int]{Key: k})
					if err != nil {
						t.Errorf("seed %d: %v", seed, err)
						continue
					}
					v := origin[k].Add(1)
					now := cache.Now()
					f.Commit(ctx, &cache.Entry[stamped]{Value: stamped{k, v}, Fresh: now, Expires: now.Add(time.Second)})
					raise(&done[k], v)
				case n < 996:
					s.Domain().Expire("a")
				case n < 998:
					for k, e := range s.All() {
						if e.Value.key != k {
							t.Errorf("seed %d: All gives %+v for %d", seed, e.Value, k)
						}
					}
				default:
					s.Clear()
				}
			}
		})
	}
	wg.Wait()
	if hits.Load() == 0 {
		t.Errorf("seed %d: no hits", seed)
	}
	sound(t, s)
	for range 4 {
		wg.Go(func() {
			for k := range keys {
				f, err := s.Reserve(ctx, cache.Slot[int]{Key: k})
				if err == nil {
					f.Commit(ctx, &cache.Entry[stamped]{Value: stamped{k, 0}, Expires: cache.Forever})
				}
			}
		})
	}
	s.Close()
	wg.Wait()
	sound(t, s)
	for k := range keys {
		if e, err := s.Get(context.Background(), k); e != nil || err != cache.ErrClosed {
			t.Fatalf("seed %d: a closed store gives %v, %v", seed, e, err)
		}
	}
}

func raise(n *atomic.Int64, v int64) {
	for old := n.Load(); old < v && !n.CompareAndSwap(old, v); old = n.Load() {
	}
}

// sound checks that table, slots, weights and order of each shard agree.
func sound[K comparable, V any](t *testing.T, s *Store[K, V]) {
	t.Helper()
	total := 0
	defer func() {
		if s.weigh != nil && (total != s.Weight() || total > s.common.budget) {
			t.Errorf("entries of %d weigh %d, not %d", s.common.budget, total, s.Weight())
		}
	}()
	for i := range s.shards {
		sh := &s.shards[i]
		heavy := 0
		for _, weight := range sh.weights {
			heavy += weight
		}
		if total += heavy; heavy != int(sh.heavy.Load()) {
			t.Errorf("shard %d: entries weigh %d, not %d", i, heavy, sh.heavy.Load())
		}
		inTable := map[*node[K, V]]bool{}
		for b := range sh.table.Load().buckets {
			for n := sh.table.Load().buckets[b].Load(); n != nil; n = n.next.Load() {
				inTable[n] = true
			}
		}
		slots := sh.order.slots()
		free := map[uint32]bool{}
		for _, slot := range sh.free {
			free[slot] = sh.nodes[slot] == nil
		}
		for _, slot := range slots {
			n := sh.nodes[slot]
			if n == nil || n.slot != slot || !inTable[n] {
				t.Errorf("shard %d, slot %d: %v", i, slot, n)
			} else if s.weigh != nil && sh.weights[slot] != max(1, s.weigh(n.key, n.entry.Value)) {
				t.Errorf("shard %d, slot %d: %v weighs %d", i, slot, n.entry.Value, sh.weights[slot])
			}
		}
		switch o := sh.order.(type) {
		case *adaptive:
			weighsAll(t, &o.queues)
		case *twoQueue:
			weight := 0
			for _, slot := range o.recent.Keys() {
				weight += sh.weight(slot)
			}
			if weight != o.weight {
				t.Errorf("shard %d: what is recent weighs %d, not %d", i, weight, o.weight)
			}
		}
		if n := sh.count; n != len(inTable) || n != len(slots) || n > sh.capacity && s.weigh == nil || n+len(free) != len(sh.nodes) {
			t.Errorf("shard %d of %d: %d entries, %d in the table, %d in order, %d of %d slots free", i, sh.capacity, n, len(inTable), len(slots), len(free), len(sh.nodes))
		}
	}
}

// weighsAll checks that the weights of queues are those of what is in them.
func weighsAll(t *testing.T, q *queues) {
	t.Helper()
	var weights [2]int
	for _, slot := range q.slots() {
		if q.in[slot] == core {
			weights[1] += q.at.weight(slot)
		} else {
			weights[0] += q.at.weight(slot)
		}
	}
	if weights != [2]int{q.inWindow, q.inCore} || q.count != len(q.slots()) {
		t.Errorf("window and core weigh %v, not %d and %d", weights, q.inWindow, q.inCore)
	}
}
