package memstore

import (
	"context"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Validate says which slots depend on nothing that was invalidated since Reserve, see
// cache.Validate. It costs a lock for each slot.
func (f *fill[K, V]) Validate(context.Context) ([]bool, error) {
	if f.store.closed.Load() {
		return nil, cache.ErrClosed
	}
	valid := make([]bool, len(f.slots))
	now := time.Now()
	for i := range f.slots {
		valid[i] = !f.write && f.slots[i].valid(f.store, now)
	}
	return valid, nil
}

func (sl *slot[K, V]) valid(s *Store[K, V], now time.Time) bool {
	sh := s.shard(sl.hash)
	sh.mu.Lock()
	changed := sh.closed || sh.changed(sl.hash, sl.since) || sh.held[sl.key] != nil
	sh.mu.Unlock()
	switch {
	case changed:
		return false
	case sl.found == nil:
		return sl.watch.Validate(now, nil, sl.late)
	}
	return sl.found.Trust(now) == cache.Valid && sl.watch.Validate(now, sl.found.Tags, false)
}
