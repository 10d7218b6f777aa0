package cache

import "context"

// Strict returns a store that reads as c does, but not from memory in front of a
// shared store: of what Tiered returned, it asks only the second level, and fills
// both. Any other store it returns as it is.
func Strict[K comparable, V any](c Cache[K, V]) Cache[K, V] {
	if t, ok := c.(*tiered[K, V]); ok {
		return strict[K, V]{t}
	}
	return c
}

type strict[K comparable, V any] struct{ *tiered[K, V] }

func (s strict[K, V]) Get(ctx context.Context, key K) (*Entry[V], error) {
	return s.fromL2(ctx, key)
}

func (s strict[K, V]) GetMany(ctx context.Context, keys []K) (map[K]*Entry[V], error) {
	return s.manyFromL2(ctx, keys, make(map[K]*Entry[V], len(keys)))
}

func (s strict[K, V]) Reserve(ctx context.Context, slots ...Slot[K]) (Fill[V], error) {
	f1, err := s.l1.Reserve(ctx, slots...)
	if err != nil {
		return nil, err
	}
	f, err := s.reserveL2(ctx, f1, slots)
	if err != nil {
		return nil, err
	}
	return strictFill[V]{f}, nil
}

// strictFill finds only what l2 has.
type strictFill[V any] struct{ Fill[V] }

func (f strictFill[V]) Found(i int) *Entry[V] { return f.Fill.(*tieredFill[V]).f2.Found(i) }
