package redisstore

import (
	"context"
	"slices"

	"github.com/larder-cache/larder/cache"
)

// Validate says which slots depend on nothing that was invalidated since Reserve, see
// cache.Validate: the token, the versions of the tags and that of the lane must still
// be what Reserve read. It costs one round trip, or none if that is certain for no
// slot. Of a slot with LateTags of which nothing was found it is never certain: which
// tags writers hold is known only of tags that have a name.
func (f *fill[K, V]) Validate(ctx context.Context) ([]bool, error) {
	s := f.store
	if s.space.closed.Load() {
		return nil, errClosed
	}
	valid := make([]bool, len(f.slots))
	var check recheck
	tokens := make([]*call, len(f.slots)) // nil for a slot that is not certain
	var calls []*call
	for i := range f.slots {
		if sl := &f.slots[i]; f.certain(sl) && s.space.servers.refuses(ctx, s.space, sl.key) == nil {
			check.add(f.tags.wanted(sl.key, sl.tags()))
			c := command(ctx, "getrange", sl.key, 0, headerSize-1)
			c.keys = []string{sl.key}
			tokens[i], calls = c, append(calls, c)
		}
	}
	if len(calls) == 0 {
		return valid, nil
	}
	if err := s.skip(); err != nil {
		return nil, err
	}
	if err := s.space.run(ctx, append(calls, check.calls(ctx, s.space)...)...); err != nil {
		s.observe(cache.Unavailable, err)
		return nil, err
	}
	check.take()
	for i, c := range tokens {
		if c == nil {
			continue
		}
		sl := &f.slots[i]
		// What this process still has to invalidate or to release is held, at the latest
		// when Redis has answered.
		valid[i] = c.text() == sl.token && check.same(f.tags.wanted(sl.key, sl.tags())) && !s.space.held(sl.key, sl.tags())
	}
	return valid, nil
}

// certain reports whether all that an answer for the slot depends on has a version
// from before the load, and no writer held any of it.
func (f *fill[K, V]) certain(sl *slot[V]) bool {
	if sl.key == "" || sl.nostore || sl.token == "" || f.writer != "" || sl.late && sl.found == nil {
		return false
	}
	_, _, known, quarantined := f.tags.stamps(sl.key, sl.tags())
	return known && !quarantined
}

// tags returns those that an answer for the slot depends on.
func (sl *slot[V]) tags() []string {
	if sl.found == nil {
		return sl.known
	}
	return slices.Concat(sl.known, sl.found.Tags)
}
