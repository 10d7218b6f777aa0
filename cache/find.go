package cache

import "context"

// Find is Get, and says which level has answered: Memory or Shared; Origin if
// there is no entry.
//
// Of what Tiered returned, it is the level of the store that had the entry. A
// store says where it is by a method Level() Level, as a memstore and a redisstore
// do; one that says nothing is taken for Memory, if it is not the second of a
// Tiered. A store that is made of others may have a method Find, which is asked
// instead of its Get.
func Find[K comparable, V any](ctx context.Context, c Cache[K, V], key K) (*Entry[V], Level, error) {
	return find(ctx, c, key, Memory)
}

func find[K comparable, V any](ctx context.Context, c Cache[K, V], key K, otherwise Level) (*Entry[V], Level, error) {
	if f, ok := c.(finder[K, V]); ok {
		return f.Find(ctx, key)
	}
	e, err := c.Get(ctx, key)
	if e == nil {
		return nil, Origin, err
	}
	return e, levelOf(c, otherwise), err
}

// LevelOf returns the level of a store; that of the second for what Tiered returned.
// See Find for stores that do not say.
func LevelOf[K comparable, V any](c Cache[K, V]) Level { return levelOf(c, Memory) }

func levelOf[K comparable, V any](c Cache[K, V], otherwise Level) Level {
	if l, ok := c.(interface{ Level() Level }); ok {
		return l.Level()
	}
	return otherwise
}

// Level returns that of the second level, which has all that the first has.
func (t *tiered[K, V]) Level() Level { return levelOf(t.l2, Shared) }

// finder is a store that is made of others.
type finder[K comparable, V any] interface {
	Find(ctx context.Context, key K) (*Entry[V], Level, error)
}

// Find is Get, with the level at which the entry was.
func (t *tiered[K, V]) Find(ctx context.Context, key K) (*Entry[V], Level, error) {
	e, level, err := find(ctx, t.l1, key, Memory)
	if e != nil || err != nil {
		return e, level, err
	}
	return t.findInL2(ctx, key)
}

// findInL2 is fromL2, with the level at which the entry was.
func (t *tiered[K, V]) findInL2(ctx context.Context, key K) (*Entry[V], Level, error) {
	fill, err := t.l1.Reserve(ctx, Slot[K]{Key: key, LateTags: true})
	if err != nil {
		return nil, Origin, err
	}
	answered := false
	defer abandon(ctx, fill, &answered)
	e, level, err := find(ctx, t.l2, key, Shared)
	answered = true
	e, err = moveUp(ctx, fill, e, err)
	return e, level, err
}

// Find looks past the memory in front, as Get does.
func (s strict[K, V]) Find(ctx context.Context, key K) (*Entry[V], Level, error) {
	return s.findInL2(ctx, key)
}
