package cachetest

import (
	"context"
	"errors"
	"slices"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// shared is a store that processes share, as one of them sees it.
type shared[K comparable, V any] struct {
	p     *Node
	name  string
	inner cache.Cache[K, V]
}

// Shared returns c, a store whose Domain is Network.Server, as the process p sees
// it across the network: calls may fail, entries are guarded by the lease of the
// process, and what is invalidated is told to all processes. The name is that of
// the store; all processes give it the same. Put memory of the process in front
// of it with cache.Tiered.
func Shared[K comparable, V any](p *Node, name string, c cache.Cache[K, V]) cache.Cache[K, V] {
	return &shared[K, V]{p, name, c}
}

func (s *shared[K, V]) text(k K) string { return s.p.net.text(s.name, k) }

func (s *shared[K, V]) hashes(keys []K) []uint32 {
	out := make([]uint32, len(keys))
	for i, k := range keys {
		out[i] = invalidation.Hash(s.text(k))
	}
	return out
}

func (s *shared[K, V]) watch(k K, tags ...string) invalidation.Watch {
	return s.p.Domain.WatchKey(invalidation.Hash(s.text(k)), tags...)
}

// seen returns a copy of an entry with the guard of this process, or nil if the
// process must not use it.
func (s *shared[K, V]) seen(k K, e *cache.Entry[V], w *invalidation.Watch) *cache.Entry[V] {
	if e == nil || s.p.Domain.HeldKey(s.text(k)) || slices.ContainsFunc(e.Tags, s.p.Domain.Held) {
		return nil
	}
	own := *e
	own.Guard = guard(w, e.Tags)
	return &own
}

func guard(w *invalidation.Watch, tags []string) cache.Guard {
	if g, ok := w.Guard(tags); ok {
		return g
	}
	return invalidation.Gone
}

func (s *shared[K, V]) Get(ctx context.Context, k K) (*cache.Entry[V], error) {
	all, err := s.GetMany(ctx, []K{k})
	return all[k], err
}

func (s *shared[K, V]) GetMany(ctx context.Context, keys []K) (map[K]*cache.Entry[V], error) {
	watches := make(map[K]*invalidation.Watch, len(keys))
	for _, k := range keys {
		w := s.watch(k)
		watches[k] = &w
	}
	out := map[K]*cache.Entry[V]{}
	return out, s.p.call(ctx, func() error {
		all, err := s.inner.GetMany(ctx, keys)
		for k, e := range all {
			if e := s.seen(k, e, watches[k]); e != nil {
				out[k] = e
			}
		}
		return err
	}, nil)
}

func (s *shared[K, V]) Reserve(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	return s.open(ctx, slots, false, func() (cache.Fill[V], error) { return s.inner.Reserve(ctx, slots...) })
}

func (s *shared[K, V]) Quarantine(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	return s.open(ctx, slots, true, func() (cache.Fill[V], error) { return s.inner.Quarantine(ctx, slots...) })
}

func (s *shared[K, V]) open(ctx context.Context, slots []cache.Slot[K], writes bool, open func() (cache.Fill[V], error)) (cache.Fill[V], error) {
	f := &sharedFill[K, V]{s: s, writes: writes}
	for _, sl := range slots {
		w := s.watch(sl.Key)
		f.keys, f.met = append(f.keys, sl.Key), append(f.met, &w)
		f.tags = append(f.tags, slices.Clone(sl.Tags))
	}
	err := s.p.call(ctx, func() (err error) {
		if f.inner, err = open(); err == nil && writes {
			s.p.net.publish(s.hashes(f.keys), nil)
		}
		return err
	}, nil)
	if err != nil {
		if f.inner != nil {
			f.inner.Cancel(context.WithoutCancel(ctx)) // nobody knows of it
		}
		return nil, err
	}
	if writes {
		s.p.control.ExpireKeys(s.hashes(f.keys)...)
	}
	return f, nil
}

func (s *shared[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	keys = slices.Clone(keys)
	err := s.invalidate(ctx, keys)
	if err != nil {
		s.again(keys)
	}
	return err
}

func (s *shared[K, V]) invalidate(ctx context.Context, keys []K) error {
	do := func() error {
		err := s.inner.Invalidate(ctx, keys...)
		if err == nil {
			s.p.net.publish(s.hashes(keys), nil)
		}
		return err
	}
	err := s.p.call(ctx, do, func() { do() })
	s.p.control.ExpireKeys(s.hashes(keys)...)
	return err
}

// again has keys invalidated until it succeeds, and not read meanwhile.
func (s *shared[K, V]) again(keys []K) {
	for _, k := range keys {
		text := s.text(k)
		s.p.mu.Lock()
		s.p.retry[text] = func(ctx context.Context) error { return s.invalidate(ctx, []K{k}) }
		s.p.mu.Unlock()
		s.p.control.RetryKeys(text)
	}
	s.p.control.ExpireKeys(s.hashes(keys)...)
}

// sharedFill is a fill across the network.
type sharedFill[K comparable, V any] struct {
	s      *shared[K, V]
	inner  cache.Fill[V]
	keys   []K
	tags   [][]string // known when the fill was opened, by slot
	met    []*invalidation.Watch
	writes bool
}

func (f *sharedFill[K, V]) Found(i int) *cache.Entry[V] {
	return f.s.seen(f.keys[i], f.inner.Found(i), f.met[i])
}

func (f *sharedFill[K, V]) Commit(ctx context.Context, entries ...*cache.Entry[V]) ([]cache.Outcome, error) {
	mine := make([]*cache.Entry[V], len(entries)) // the shared store owns what it gets
	watches := make([]invalidation.Watch, len(entries))
	for i, e := range entries {
		if e == nil || i >= len(f.keys) {
			continue
		}
		watches[i] = f.s.watch(f.keys[i], e.Tags...)
		if f.s.p.Domain.HeldKey(f.s.text(f.keys[i])) || slices.ContainsFunc(e.Tags, f.s.p.Domain.Held) {
			continue // what is to be invalidated again
		}
		own := *e
		mine[i] = &own
	}
	var out []cache.Outcome
	err := f.s.p.call(ctx, func() (err error) { out, err = f.inner.Commit(ctx, mine...); return err }, nil)
	if err != nil && !errors.Is(err, cache.ErrNotStorable) { // which has done all it should
		f.left(ctx, out == nil)
		return make([]cache.Outcome, len(entries)), err
	}
	for i, o := range out {
		if o.Valid() {
			entries[i].Guard = guard(&watches[i], entries[i].Tags)
		}
	}
	return out, err
}

// Validate doubts what the process still has to invalidate, beside what the shared store
// doubts.
func (f *sharedFill[K, V]) Validate(ctx context.Context) (valid []bool, err error) {
	err = f.s.p.call(ctx, func() (err error) { valid, err = cache.Validate(ctx, f.inner); return err }, nil)
	d := f.s.p.Domain
	for i := range valid {
		tags := f.tags[i]
		if e := f.inner.Found(i); e != nil {
			tags = slices.Concat(tags, e.Tags)
		}
		valid[i] = valid[i] && !d.HeldKey(f.s.text(f.keys[i])) && !slices.ContainsFunc(tags, d.Held)
	}
	return valid, err
}

func (f *sharedFill[K, V]) Cancel(ctx context.Context) error {
	ended := false
	err := f.s.p.call(ctx, func() error { ended = true; return f.inner.Cancel(ctx) }, nil)
	if err != nil {
		f.left(ctx, !ended)
	}
	return err
}

// left is for a fill of which the process does not know how it ended: one that has
// not is cancelled, as it would end by itself, and what a writer held is
// invalidated again.
func (f *sharedFill[K, V]) left(ctx context.Context, open bool) {
	if open {
		f.inner.Cancel(context.WithoutCancel(ctx))
	}
	if f.writes {
		f.s.again(f.keys)
	}
}
