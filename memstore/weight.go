package memstore

import (
	"context"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// maxWeighedShards is for stores whose entries have weights: nothing says how many
// of them there will be, and a policy needs some to choose from.
const maxWeighedShards = 16

// Weight returns what the entries weigh together, or how many there are if they have
// no weights.
func (s *Store[K, V]) Weight() int {
	if s.weigh == nil {
		return s.Len()
	}
	return int(s.common.total.Load())
}

// weights returns those of entries. If Options.Weight panics or ends the goroutine, the
// fill is cancelled, so that it holds no key.
func (f *fill[K, V]) weights(ctx context.Context, entries []*cache.Entry[V]) (weights []int, err error) {
	weighed := false
	defer func() {
		if !weighed {
			f.Cancel(ctx)
		}
	}()
	weights = make([]int, len(entries))
	err = contain.Call(ctx, "Options.Weight", func() {
		for i, e := range entries {
			if e != nil {
				weights[i] = max(1, f.store.weigh(f.slots[i].key, e.Value))
			}
		}
	})
	if err != nil {
		f.store.meter.Tell(f.store.observer, cache.Event{Kind: cache.HookPanic, Cache: f.store.name, Level: cache.Memory, N: 1, Err: err})
		return nil, err
	}
	weighed = true
	return weights, nil
}

func (sh *shard[K, V]) weight(slot uint32) int {
	if sh.budget == 0 {
		return 1
	}
	return sh.weights[slot]
}

// weighIn notes the weight of what was put into a slot. The lock is held.
func (sh *shard[K, V]) weighIn(slot uint32, weight int) {
	if int(slot) == len(sh.weights) {
		sh.weights = append(sh.weights, 0)
	}
	by := weight - sh.weights[slot]
	sh.weights[slot] = weight
	sh.heavy.Add(int64(by))
	sh.total.Add(int64(by))
}

// reweigh notes that the entry of a slot was replaced by one of another weight. The
// lock is held.
func (sh *shard[K, V]) reweigh(slot uint32, weight int) {
	by := weight - sh.weights[slot]
	sh.weighIn(slot, weight)
	sh.order.grow(slot, by)
}

// shed evicts until the store is no heavier than its capacity: from the shard that
// was added to if that has more than its part, otherwise from the heaviest one, so
// that a few heavy entries may share a shard. What was added stays if it is not alone.
func (s *Store[K, V]) shed(own *shard[K, V]) {
	part := int64(s.common.budget / len(s.shards))
	for s.common.total.Load() > int64(s.common.budget) {
		sh := own
		if len(s.shards) > 1 && (own.heavy.Load() <= part || own.single()) {
			for i := range s.shards {
				if other := &s.shards[i]; other != own && (sh == own || other.heavy.Load() > sh.heavy.Load()) {
					sh = other
				}
			}
		}
		n := sh.shed()
		if n == nil {
			return // others have made room
		}
		s.gone(eviction[K, V]{n, Full})
	}
}

// single reports whether there is just one entry.
func (sh *shard[K, V]) single() bool {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.count == 1
}

// shed takes out one entry, if there is any.
func (sh *shard[K, V]) shed() *node[K, V] {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.count == 0 {
		return nil
	}
	n := sh.nodes[sh.order.victim(0)]
	sh.table.Load().unlink(n)
	sh.vacate(n.slot)
	return n
}
