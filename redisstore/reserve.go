package redisstore

import (
	"context"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// Reserve takes the fill tokens of all slots and the versions of their tags in
// one round trip. It also reads: what it meets is Found.
func (s *Store[K, V]) Reserve(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	f, err := s.open(slots)
	if err != nil {
		return nil, err
	}
	if len(f.keys) == 0 {
		return f, nil
	}
	if err := s.skip(); err != nil {
		return nil, err
	}
	seen := make([]string, len(f.keys))
	late, replicated := false, false
	for i, sl := range f.slots {
		if sl.key == "" {
			continue
		}
		h := s.hints.get(sl.key)
		seen[sl.place] = h.rejected
		f.tags.watch(slots[i].Tags)
		f.tags.watch(h.tags)
		f.tags.star(sl.key)
		late = late || slots[i].LateTags && (s.space.lanes == 1 || h.tags == nil)
		replicated = replicated || slots[i].Replicated && s.space.replicas.N > 0
	}
	if late {
		f.tags.allTails()
	}
	before := view{space: s.space, keys: f.keys}
	before.watch()
	tags := f.tags.calls(ctx)
	tokens, run := f.acquire(ctx, f.keys, seen, replicated), s.space.run
	if replicated {
		run = s.space.replicate
	}
	if err := run(ctx, append(tags, tokens...)...); err != nil {
		s.observe(cache.Unavailable, err)
		return nil, err
	}
	f.tags.take(tags)
	if err := f.meet(ctx, flatten(tokens), before.watches); err != nil {
		s.observe(cache.Unavailable, err)
		return nil, err
	}
	return f, nil
}

// acquire returns the calls that take tokens; with write, all of them are writes.
func (f *fill[K, V]) acquire(ctx context.Context, keys, seen []string, write bool) (calls []*call) {
	for part := range f.store.space.slots(keys) {
		args := make([]any, 2, 3+len(part))
		args[0], args[1] = random(8), fillLife.Milliseconds()
		for _, h := range seen[:len(part)] {
			args = append(args, h)
		}
		seen = seen[len(part):]
		if write {
			args = append(args, "write")
		}
		calls = append(calls, acquireScript.call(ctx, part, args...))
	}
	return calls
}

// meet sorts what acquire found under the keys: tokens, quarantines, and values
// that somebody else stored since this process read last.
func (f *fill[K, V]) meet(ctx context.Context, raws []string, watches []invalidation.Watch) error {
	if len(raws) != len(f.keys) {
		return errUnavailable
	}
	v := f.tags.view(f.keys, raws)
	v.watches = watches
	var bad, seen []string
	var again []*slot[V]
	for i := range f.slots {
		sl := &f.slots[i]
		if sl.key == "" {
			continue
		}
		raw := raws[sl.place]
		if len(raw) < headerSize {
			return errUnavailable
		}
		sl.token = raw[:headerSize]
		sl.nostore = raw[0] == kindQuarantine
		if raw[0] != kindValue || len(raw) == headerSize {
			continue
		}
		e, _, err := f.store.entry(ctx, v, sl.place)
		if err != nil {
			return err
		}
		sl.found = e
		if h := f.store.hints.get(sl.key).rejected; e == nil && h == "!"+sl.token {
			bad, seen, again = append(bad, sl.key), append(seen, h), append(again, sl)
		}
	}
	if bad == nil {
		return nil
	}
	// What cannot be read has no nonce that can be relied on: replace it.
	calls := f.acquire(ctx, bad, seen, false)
	if err := f.store.space.run(ctx, calls...); err != nil {
		return err
	}
	for i, raw := range flatten(calls) {
		if len(raw) < headerSize {
			return errUnavailable
		}
		again[i].token = raw[:headerSize]
		again[i].nostore = raw[0] == kindQuarantine
	}
	return nil
}

// flatten returns the results of calls that have one result a key.
func flatten(calls []*call) (out []string) {
	for _, c := range calls {
		out = append(out, c.strings()...)
	}
	return out
}
