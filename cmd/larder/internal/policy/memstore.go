package policy

import (
	"context"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
)

// store is the library's own store in memory, used as a loader uses it. Above
// 1024 entries it is sharded.
type store struct {
	*memstore.Store[uint32, struct{}]
	name  string
	entry *cache.Entry[struct{}]
}

func memstoreWith(name string, e memstore.Eviction) func(Setup) (Policy, error) {
	return func(s Setup) (Policy, error) {
		return &store{memstore.New(nil, s.Capacity, &memstore.Options[uint32, struct{}]{Eviction: e}), name,
			&cache.Entry[struct{}]{Fresh: cache.Forever, Expires: cache.Forever}}, nil
	}
}

// Name implements Policy.
func (s *store) Name() string { return s.name }

// Access implements Policy.
func (s *store) Access(id uint32) bool {
	ctx := context.Background()
	if e, err := s.Get(ctx, id); err != nil || e != nil {
		return e != nil
	}
	if f, err := s.Reserve(ctx, cache.Slot[uint32]{Key: id}); err == nil {
		f.Commit(ctx, s.entry)
	}
	return false
}
