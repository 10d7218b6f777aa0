package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/tagname"
	"github.com/larder-cache/larder/internal/waitgraph"
	"github.com/larder-cache/larder/invalidation"
)

// fill is the cache.Fill of a reader and, with a writer's id, of a quarantine.
type fill[K comparable, V any] struct {
	store   *Store[K, V]
	slots   []slot[V]
	keys    []string // of the slots that can be cached
	tags    watch
	holder  string        // names the fill in locks
	life    time.Duration // of its locks, as they were taken
	renewal *renewal      // nil if it has none
	writer  string
	marks   []invalidation.Mark // of the quarantine
	done    bool
	work    *waitgraph.Work // of which the locks are known in this process
}

// slot is one key of a fill. One with an empty key cannot be cached.
type slot[V any] struct {
	key     string
	place   int           // in fill.keys
	token   string        // the header that must still be there at the commit
	nostore bool          // a writer holds the key
	locked  bool          // the fill has the lock of the token
	busy    time.Duration // for how long another has it
	refresh refreshing
	known   []string // its tags, as far as they are known before the load
	late    bool     // there may be others
	found   *cache.Entry[V]
	lost    error // why the fill cannot store it, such as that its server does not answer
}

// open returns a fill of slots that has read nothing yet.
func (s *Store[K, V]) open(ctx context.Context, slots []cache.Slot[K]) (*fill[K, V], error) {
	if s.space.closed.Load() {
		return nil, errClosed
	}
	f := &fill[K, V]{store: s, slots: make([]slot[V], len(slots)), tags: watch{space: s.space, switches: s.space.switches.Load(), life: s.versionLife()}}
	seen := make(map[string]struct{}, len(slots))
	for i, sl := range slots {
		key, err := s.keyOf(ctx, sl.Key)
		if err != nil {
			return nil, err
		}
		if key == "" {
			continue
		}
		if _, twice := seen[key]; twice {
			return nil, fmt.Errorf("larder: two slots of one fill have the key %v", sl.Key)
		}
		seen[key] = struct{}{}
		f.slots[i] = slot[V]{key: key, place: len(f.keys), known: slices.Clone(sl.Tags), late: sl.LateTags}
		f.keys = append(f.keys, key)
	}
	return f, nil
}

func (f *fill[K, V]) Found(i int) *cache.Entry[V] { return f.slots[i].found }

// Cancel of a reader's fill lets go of its locks, in one round trip, or none if it
// has none; the tokens serve the next fill, or expire.
func (f *fill[K, V]) Cancel(ctx context.Context) error {
	if f.writer != "" {
		_, err := f.Commit(ctx, make([]*cache.Entry[V], len(f.slots))...)
		return err
	}
	if f.done {
		return cache.ErrFillDone
	}
	f.done = true
	f.renewal.end()
	defer f.disown()
	f.unlock(ctx)
	return nil
}

// Commit stores all entries in one round trip, and takes one more before it if
// an entry has tags that were not known before the load.
func (f *fill[K, V]) Commit(ctx context.Context, entries ...*cache.Entry[V]) ([]cache.Outcome, error) {
	if f.done {
		return nil, cache.ErrFillDone
	}
	f.done = true
	f.renewal.end()
	defer f.disown()
	if len(entries) != len(f.slots) {
		err := fmt.Errorf("larder: Commit of %d entries to a fill of %d slots", len(entries), len(f.slots))
		entries = make([]*cache.Entry[V], len(f.slots)) // a writer's keys are released
		_, err1 := f.commit(ctx, entries)
		return nil, errors.Join(err, err1)
	}
	return f.commit(ctx, entries)
}

func (f *fill[K, V]) commit(ctx context.Context, entries []*cache.Entry[V]) ([]cache.Outcome, error) {
	returned := false
	defer func() {
		if !returned {
			f.abandon(ctx)
		}
	}()
	entries, malformed := f.tagged(entries)
	outcomes, err := f.write(ctx, entries)
	returned = true
	return outcomes, cmp.Or(err, malformed)
}

// tagged returns the entries without those that nobody could invalidate by one of their
// tags, and an error that names these.
func (f *fill[K, V]) tagged(entries []*cache.Entry[V]) (valid []*cache.Entry[V], err error) {
	valid = entries
	for i, e := range entries {
		if e == nil {
			continue
		}
		if err1 := tagname.Check(e.Tags...); err1 != nil {
			if err == nil { // the slice is the caller's
				valid = slices.Clone(entries)
			}
			err1 = fmt.Errorf("larder: redisstore: %w: %w", cache.ErrNotStorable, err1)
			f.store.observe(cache.FillRefused, err1)
			valid[i], err = nil, errors.Join(err, err1)
		}
	}
	return valid, err
}

// abandon ends a fill whose goroutine is being ended by a function of the user's.
func (f *fill[K, V]) abandon(ctx context.Context) {
	if f.writer != "" {
		f.again(f.keys)
	} else {
		f.unlock(ctx)
	}
}

func (f *fill[K, V]) write(ctx context.Context, entries []*cache.Entry[V]) ([]cache.Outcome, error) {
	outcomes := make([]cache.Outcome, len(entries))
	if f.writer == "" {
		for _, e := range entries {
			if e != nil {
				f.store.loaded(e.Cost)
			}
		}
		if err := f.store.skip(); err != nil {
			return outcomes, err
		}
		f.leaveOut(ctx, entries)
	}
	lateErr := f.late(ctx, entries)
	writes, err := f.prepare(ctx, entries)
	if len(writes) == 0 {
		f.unlock(ctx)
		f.report(entries, outcomes, lateErr)
		return outcomes, cmp.Or(lateErr, err)
	}
	var check recheck
	for _, w := range writes {
		check.add(w.want)
	}
	// What is valid in Redis from here on may be served from memory.
	watches := f.watch(writes, entries)
	unlocks := f.unlocks(ctx, writes)
	after := slices.Concat(unlocks, f.endRefreshes(ctx, writes), f.outlive(ctx, writes, entries))
	done, runErr := f.sendChecked(ctx, &check, writes, after)
	f.awaited(writes, done)
	untouched(writes, done)
	f.unlocked(unlocks)
	for i, w := range writes {
		if entries[w.slot] == nil {
			continue
		}
		if why := f.refusal(done[i], runErr, check.same(w.want)); why != nil {
			f.slots[w.slot].lost = cmp.Or(f.slots[w.slot].lost, why)
			continue
		}
		outcomes[w.slot] = cache.Passed
		if w.body != "" || w.vouch {
			outcomes[w.slot] = cache.Stored
			if w.vouch {
				outcomes[w.slot] = cache.Vouched
			}
			entries[w.slot].Guard = guardOf(&watches[i], entries[w.slot].Tags)
		}
	}
	if f.writer != "" {
		failed, err1 := f.settle(ctx, writes, done)
		if failed != nil {
			f.again(failed)
		}
		runErr = cmp.Or(runErr, err1)
	}
	f.report(entries, outcomes, runErr)
	return outcomes, cmp.Or(runErr, lateErr, err)
}

func (f *fill[K, V]) watch(writes []write, entries []*cache.Entry[V]) []invalidation.Watch {
	out := make([]invalidation.Watch, len(writes))
	for i, w := range writes {
		if e := entries[w.slot]; e != nil && (w.body != "" || w.vouch) {
			out[i] = f.store.space.WatchKey(invalidation.Hash(w.key), e.Tags...)
		}
	}
	return out
}

// outlive returns the calls that let versions live for longer than it was known that
// they have to: those of the first entries of a store, and of ones that live for longer.
func (f *fill[K, V]) outlive(ctx context.Context, writes []write, entries []*cache.Entry[V]) []*call {
	var longest int64
	w := watch{space: f.store.space, lanes: map[int]bool{}}
	for _, one := range writes {
		if one.body != "" && 2*one.px > f.tags.life {
			longest = max(longest, 2*one.px)
			w.star(one.key)
			w.watch(entries[one.slot].Tags)
		}
	}
	w.life = longest
	return w.calls(ctx)
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
			if s := f.store.space; s.refreshLock(e.Cost) > s.lockWait {
				f.store.hints.took(key, e.Cost)
			}
		}
	}
	return f.tags.learn(ctx, tags)
}

// prepare encodes entries. A slot that is not among the writes is refused.
func (f *fill[K, V]) prepare(ctx context.Context, entries []*cache.Entry[V]) (writes []write, err error) {
	for i, e := range entries {
		sl := &f.slots[i]
		if sl.key == "" || sl.lost != nil || e == nil && f.writer == "" {
			continue
		}
		w := write{slot: i, key: sl.key, token: sl.token}
		if e != nil {
			star, stamps, ok, quarantined := f.tags.stamps(sl.key, e.Tags)
			w.want = f.tags.wanted(sl.key, e.Tags)
			if !ok {
				sl.lost = errLateTag
			}
			if ok && !quarantined && !sl.nostore && !f.store.space.held(sl.key, e.Tags) {
				ahead, err1 := f.store.space.ahead(ctx, f.store.space.lane(sl.key))
				if err1 != nil {
					err, ok = errors.Join(err, err1), false
				} else if w.body, w.px, err1 = f.store.encode(ctx, sl.key, ahead, e, star, stamps); err1 != nil {
					err1 = fmt.Errorf("%w: %w", cache.ErrNotStorable, err1)
					f.store.observe(cache.EncodeFailed, err1)
					err, w.vouch = errors.Join(err, err1), true
				} else if w.body == "" {
					ok, sl.lost = false, errPast
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
// stored. With vouch, it cannot be: Redis is only asked whether it might have been.
type write struct {
	slot       int
	key, token string
	body       string
	vouch      bool
	px         int64
	want       []version
}

// untouchedQuarantine is what a release says of a key to which nothing has happened, but
// for which there was nothing to store.
const untouchedQuarantine = 4

// untouched makes of done what it would be if what was only to be vouched for were stored.
func untouched(writes []write, done []int64) {
	for i, w := range writes {
		if done[i] == untouchedQuarantine {
			done[i] = 0
			if w.vouch {
				done[i] = 1
			}
		}
	}
}

const (
	// lostQuarantine is what a release says of a key that the writer did not hold.
	lostQuarantine = 2
	// notDone is what is said of a key whose call has failed.
	notDone = -1
)

// guardOf returns the guard with which an entry may be in memory.
func guardOf(w *invalidation.Watch, tags []string) cache.Guard {
	if g, ok := w.Guard(tags); ok {
		return g
	}
	return invalidation.Gone
}
