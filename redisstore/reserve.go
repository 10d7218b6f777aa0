package redisstore

import (
	"cmp"
	"context"
	"slices"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// Reserve takes the fill tokens of all slots and the versions of their tags in
// one round trip. It also reads: what it meets is Found.
//
// If others load all that it does not find, it waits for them, for at most
// Options.LockWait, and takes the trip again when they are done: then what they
// have stored is Found, or this fill is the next to load. For slots that say
// Refresh it does not wait: if others load all of them, it returns ErrBusy. Nor does it
// wait for a load of this process within which it is called, as ctx says, or which waits
// for the load that it is called for.
func (s *Store[K, V]) Reserve(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	f, err := s.open(ctx, slots)
	if err != nil {
		return nil, err
	}
	if len(f.keys) == 0 {
		return f, nil
	}
	f.holder, f.life = random(8), s.lockLife()
	w := s.space.newWait(f.keys)
	defer w.end()
	returned := false
	defer func() {
		if !returned { // a function of the user's ends the goroutine
			f.unlock(ctx)
			f.disown()
		}
	}()
	err = s.reserve(ctx, f, slots, w)
	returned = true
	if err != nil {
		f.disown()
		return nil, err
	}
	f.keep()
	return f, nil
}

// reserve takes the trips of Reserve.
func (s *Store[K, V]) reserve(ctx context.Context, f *fill[K, V], slots []cache.Slot[K], w *wait) error {
	for {
		if err := f.admit(ctx, slots); err != nil {
			return err
		}
		if err := f.attempt(ctx, slots); err != nil {
			s.failed(err)
			return err
		}
		f.own(ctx)
		if f.yields(ctx) {
			return cache.ErrBusy
		}
		left := f.blocked()
		if left == 0 || slices.ContainsFunc(slots, func(s cache.Slot[K]) bool { return s.Refresh }) {
			break
		}
		again, err := f.await(ctx, w, left)
		if err != nil {
			return err
		}
		if !again {
			break
		}
	}
	f.observeWait(w)
	return nil
}

// attempt takes the trip of Reserve. What an earlier one has read is forgotten: what
// is Found has to be valid now.
func (f *fill[K, V]) attempt(ctx context.Context, slots []cache.Slot[K]) error {
	s := f.store
	f.tags = watch{space: s.space, switches: s.space.switches.Load(), life: s.versionLife()}
	seen := make([]string, len(f.keys))
	late, replicated := false, false
	for i := range f.slots {
		sl := &f.slots[i]
		if sl.key == "" {
			continue
		}
		sl.found = nil
		h := s.hints.get(sl.key)
		seen[sl.place] = h.rejected
		f.tags.watch(slots[i].Tags)
		f.tags.watch(h.tags)
		f.tags.star(sl.key)
		late = late || slots[i].LateTags && (s.space.lanes == 1 || h.tags == nil)
		replicated = replicated || slots[i].Replicated && s.space.replicas.N > 0
	}
	if late {
		f.tags.allLanes()
	}
	before := view{space: s.space, keys: f.keys}
	before.watch()
	tags, tokens, refreshes := f.tags.calls(ctx), f.acquire(ctx, f.keys, seen, replicated), f.refreshes(ctx, slots)
	run := s.space.run
	if replicated {
		run = s.space.replicate
	}
	err := run(ctx, slices.Concat(tokens, refreshes, tags)...)
	s.space.servers.wrote(ctx, s.space, slices.Concat(tags, tokens))
	f.tags.take(tags)
	f.refreshed(slots, refreshes)
	return f.meet(ctx, flatten(tokens), before.watches, replicated, err)
}

// acquire returns the calls that take tokens; with write, all of them are writes.
func (f *fill[K, V]) acquire(ctx context.Context, keys, seen []string, write bool) (calls []*call) {
	for part := range f.store.space.slots(keys) {
		args := make([]any, 4, 5+len(part))
		args[0], args[1] = random(8), fillLife.Milliseconds()
		args[2], args[3] = f.holder, f.life.Milliseconds()
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
// that somebody else stored since this process read last. A slot of which something could
// not be read, for which err is the reason, is lost; meet fails if all are.
func (f *fill[K, V]) meet(ctx context.Context, raws []string, watches []invalidation.Watch, replicated bool, err error) error {
	lost := map[int]error{}
	lose := func(i int) { lost[i] = cmp.Or(err, errUnavailable) }
	v := f.tags.view(f.keys, raws)
	v.watches = watches
	locks := f.store.space.lockWait > 0
	var bad, seen []string
	var again []int
	for i := range f.slots {
		sl := &f.slots[i]
		if sl.key == "" {
			continue
		}
		raw := raws[sl.place]
		if !sl.take(raw, locks) || f.tags.stars[f.store.space.lane(sl.key)] == "" {
			lose(i)
			continue
		}
		if raw[0] != kindValue || len(raw) == headerSize {
			continue
		}
		e, _, err1 := f.store.entry(ctx, v, sl.place)
		if err1 != nil {
			err = err1
			lose(i)
			continue
		}
		sl.found = e
		if h := f.store.hints.get(sl.key).rejected; e == nil && (h == sl.token || h == "!"+sl.token) {
			bad, seen, again = append(bad, sl.key), append(seen, h), append(again, i)
		}
	}
	if bad == nil {
		return f.without(lost)
	}
	// What cannot be used is replaced by a token, which has a lock; what cannot be
	// read has no nonce that can be relied on.
	calls, run := f.acquire(ctx, bad, seen, replicated), f.store.space.run
	if replicated {
		run = f.store.space.replicate
	}
	if err1 := run(ctx, calls...); err1 != nil {
		err = err1
	}
	for n, raw := range flatten(calls) {
		if i := again[n]; !f.slots[i].take(raw, locks) {
			lose(i)
		}
	}
	return f.without(lost)
}

// without takes slots out of a fill: they are not stored. It fails if that leaves none.
func (f *fill[K, V]) without(lost map[int]error) error {
	if len(lost) == 0 {
		return nil
	}
	var why error
	keys := make([]string, 0, len(f.keys))
	for i := range f.slots {
		sl := &f.slots[i]
		if err := lost[i]; err != nil {
			*sl = slot[V]{lost: err}
			why = cmp.Or(why, err)
		} else if sl.key != "" {
			sl.place = len(keys)
			keys = append(keys, sl.key)
		}
	}
	f.keys = keys
	if len(keys) > 0 {
		f.store.failed(why)
		return nil
	}
	return why
}

// flatten returns the results of calls that have one result a key, "" if it is missing.
func flatten(calls []*call) (out []string) {
	for _, c := range calls {
		got := c.strings()
		for i := range c.keys {
			text := ""
			if len(got) == len(c.keys) {
				text = got[i]
			}
			out = append(out, text)
		}
	}
	return out
}
