package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/larder-cache/larder/cache"
)

// fill is the cache.Fill of a reader and, with a writer's id, of a quarantine.
type fill[K comparable, V any] struct {
	store  *Store[K, V]
	slots  []slot[V]
	keys   []string // of the slots that can be cached
	tags   watch
	writer string
	done   bool
}

// slot is one key of a fill. One with an empty key cannot be cached.
type slot[V any] struct {
	key     string
	place   int    // in fill.keys
	token   string // the header that must still be there at the commit
	nostore bool   // a writer holds the key
	found   *cache.Entry[V]
}

// open returns a fill of slots that has read nothing yet.
func (s *Store[K, V]) open(slots []cache.Slot[K]) (*fill[K, V], error) {
	if s.space.closed.Load() {
		return nil, errClosed
	}
	f := &fill[K, V]{store: s, slots: make([]slot[V], len(slots)), tags: watch{space: s.space}}
	seen := make(map[string]struct{}, len(slots))
	for i, sl := range slots {
		key := s.key(sl.Key)
		if key == "" {
			continue
		}
		if _, twice := seen[key]; twice {
			return nil, fmt.Errorf("larder: two slots of one fill have the key %v", sl.Key)
		}
		seen[key] = struct{}{}
		f.slots[i] = slot[V]{key: key, place: len(f.keys)}
		f.keys = append(f.keys, key)
	}
	return f, nil
}

func (f *fill[K, V]) Found(i int) *cache.Entry[V] { return f.slots[i].found }

// Cancel of a reader's fill costs nothing: the tokens serve the next fill, or
// expire.
func (f *fill[K, V]) Cancel(ctx context.Context) error {
	if f.writer != "" {
		_, err := f.Commit(ctx, make([]*cache.Entry[V], len(f.slots))...)
		return err
	}
	if f.done {
		return cache.ErrFillDone
	}
	f.done = true
	return nil
}

// Commit stores all entries in one round trip, and takes one more before it if
// an entry has tags that were not known before the load.
func (f *fill[K, V]) Commit(ctx context.Context, entries ...*cache.Entry[V]) ([]cache.Outcome, error) {
	if f.done {
		return nil, cache.ErrFillDone
	}
	f.done = true
	if len(entries) != len(f.slots) {
		err := fmt.Errorf("larder: Commit of %d entries to a fill of %d slots", len(entries), len(f.slots))
		entries = make([]*cache.Entry[V], len(f.slots)) // a writer's keys are released
		_, err1 := f.commit(ctx, entries)
		return nil, errors.Join(err, err1)
	}
	return f.commit(ctx, entries)
}

func (f *fill[K, V]) commit(ctx context.Context, entries []*cache.Entry[V]) ([]cache.Outcome, error) {
	outcomes := make([]cache.Outcome, len(entries))
	lateErr := f.late(ctx, entries)
	writes, err := f.prepare(entries)
	if len(writes) == 0 {
		f.report(entries, outcomes, lateErr)
		return outcomes, cmp.Or(lateErr, err)
	}
	var check recheck
	var calls []*call
	for part := range chunks(writes, f.store.space.lanes) {
		calls = append(calls, f.send(ctx, part))
	}
	n := len(calls)
	for _, w := range writes {
		check.add(w.want)
	}
	calls = append(calls, check.calls(ctx, f.store.space)...)
	runErr := f.store.space.run(ctx, calls...)
	check.take(calls[n:])
	stored := ones(calls[:n])
	for i, w := range writes {
		if i < len(stored) && stored[i] && entries[w.slot] != nil && check.same(w.want) {
			outcomes[w.slot] = cache.Passed
			if w.body != "" {
				outcomes[w.slot] = cache.Stored
			}
		}
	}
	f.report(entries, outcomes, runErr)
	return outcomes, cmp.Or(runErr, lateErr, err)
}

// late learns the versions of the tags that the load has brought.
func (f *fill[K, V]) late(ctx context.Context, entries []*cache.Entry[V]) error {
	var tags []string
	for i, e := range entries {
		if key := f.slots[i].key; e != nil && key != "" {
			tags = append(tags, e.Tags...)
			if len(e.Tags) > 0 || f.store.hints.get(key) != noHint {
				f.store.hints.put(key, e.Tags, "")
			}
		}
	}
	return f.tags.learn(ctx, tags)
}

// prepare encodes entries. A slot that is not among the writes is refused.
func (f *fill[K, V]) prepare(entries []*cache.Entry[V]) (writes []write, err error) {
	for i, e := range entries {
		sl := &f.slots[i]
		if sl.key == "" || e == nil && f.writer == "" {
			continue
		}
		w := write{slot: i, key: sl.key, token: sl.token}
		if e != nil {
			star, stamps, ok, quarantined := f.tags.stamps(sl.key, e.Tags)
			w.want = f.tags.wanted(sl.key, e.Tags)
			if ok && !quarantined && !sl.nostore {
				var err1 error
				if w.body, w.px, err1 = f.store.encode(sl.key, e, star, stamps); err1 != nil {
					err1 = fmt.Errorf("%w: %w", cache.ErrNotStorable, err1)
					f.store.observe(cache.EncodeFailed, err1)
					err, ok = errors.Join(err, err1), false
				} else if w.body == "" { // has expired already
					ok = false
				}
			}
			if !ok && f.writer == "" {
				continue
			}
		}
		writes = append(writes, w)
	}
	return writes, err
}

// write is an entry on its way to Redis. Its body is empty if it is not to be
// stored.
type write struct {
	slot       int
	key, token string
	body       string
	px         int64
	want       []version
}

// send returns the call that stores the entries, or releases the quarantine.
func (f *fill[K, V]) send(ctx context.Context, part []write) *call {
	keys := make([]string, len(part))
	args := make([]any, 0, 2+3*len(part))
	args = append(args, random(8))
	if f.writer != "" {
		args = append(args, f.writer)
	}
	for i, w := range part {
		keys[i] = w.key
		if f.writer == "" {
			args = append(args, w.token)
		}
		args = append(args, w.body, w.px)
	}
	if f.writer != "" {
		return releaseScript.call(ctx, keys, args...)
	}
	return fillScript.call(ctx, keys, args...)
}

func ones(calls []*call) (out []bool) {
	for _, c := range calls {
		list, _ := c.cmd.Val().([]any)
		for _, v := range list {
			n, _ := v.(int64)
			out = append(out, n == 1)
		}
	}
	return out
}

func (f *fill[K, V]) report(entries []*cache.Entry[V], outcomes []cache.Outcome, err error) {
	if f.store.observer == nil {
		return
	}
	for i, o := range outcomes {
		if entries[i] == nil {
			continue
		}
		kind := [...]cache.Kind{cache.FillRefused, cache.FillPassed, cache.FillStored}[o]
		f.store.observe(kind, err)
	}
}
