package policy

import (
	"context"
	"math"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
)

// store is the library's own store in memory, used as a loader uses it. Above
// 1024 entries or bytes it is sharded. A value is its own weight.
type store struct {
	entries *memstore.Store[uint32, uint32]
	entry   *cache.Entry[uint32]
}

func memstoreWith(e memstore.Eviction) func(Setup) Policy {
	return func(s Setup) Policy {
		o := &memstore.Options[uint32, uint32]{Eviction: e}
		if s.Bytes {
			o.Weight = func(_, size uint32) int { return int(min(size, math.MaxInt32)) }
		}
		return &store{memstore.New(nil, int(min(s.Capacity, math.MaxInt)), o),
			&cache.Entry[uint32]{Fresh: cache.Forever, Expires: cache.Forever}}
	}
}

// Get implements Policy.
func (s *store) Get(id uint32) bool {
	e, _ := s.entries.Get(context.Background(), id) // fails only after Close
	return e != nil
}

// Put implements Policy.
func (s *store) Put(id, size uint32) {
	ctx := context.Background()
	if f, err := s.entries.Reserve(ctx, cache.Slot[uint32]{Key: id}); err == nil {
		s.entry.Value = size
		f.Commit(ctx, s.entry)
	}
}

// Drop implements Policy.
func (s *store) Drop(id uint32) { s.entries.Invalidate(context.Background(), id) }

// Close implements io.Closer.
func (s *store) Close() error { return s.entries.Close() }
