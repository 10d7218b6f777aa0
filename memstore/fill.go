package memstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/tagname"
	"github.com/larder-cache/larder/invalidation"
)

// fill is the cache.Fill of a reader or a writer.
type fill[K comparable, V any] struct {
	store *Store[K, V]
	slots []slot[K, V]
	one   [1]slot[K, V] // where slots is if there is only one
	// outcome is what Commit returns then.
	outcome [1]cache.Outcome
	write   bool
	done    bool
}

type slot[K comparable, V any] struct {
	key   K
	hash  uint64
	since uint64 // the shard's sequence at Reserve
	watch invalidation.Watch
	found *cache.Entry[V]
	held  *quarantine
	late  bool // its tags may not be known before the load
}

func (s *Store[K, V]) open(slots []cache.Slot[K], write bool) *fill[K, V] {
	f := &fill[K, V]{store: s, write: write}
	if f.slots = f.one[:0]; len(slots) > 1 {
		f.slots = make([]slot[K, V], 0, len(slots))
	}
	for _, sl := range slots {
		f.slots = append(f.slots, slot[K, V]{key: sl.Key, hash: s.hash(sl.Key), watch: s.domain.Watch(sl.Tags...), late: sl.LateTags})
	}
	return f
}

// Reserve opens a fill. A fill that is neither committed nor cancelled costs
// nothing but its memory. A Commit of another number of entries than slots is
// an error and ends the fill; one after Close is cache.ErrClosed.
func (s *Store[K, V]) Reserve(_ context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	if s.closed.Load() {
		return nil, cache.ErrClosed
	}
	if err := s.checkSlots(slots); err != nil {
		return nil, err
	}
	f := s.open(slots, false)
	for i := range f.slots {
		sl := &f.slots[i]
		sh := s.shard(sl.hash)
		sl.since = sh.sequence.Load()
		if n := sh.find(sl.key, upper(sl.hash)); n != nil && s.live(n) {
			sl.found = &n.entry
		}
	}
	return f, nil
}

// live reports whether the entry of a node may be served.
func (s *Store[K, V]) live(n *node[K, V]) bool {
	if n.timed {
		return n.entry.Live(time.Now())
	}
	return !s.clock.passed(n.entry.Expires) && n.entry.Trust(time.Time{}) == cache.Valid
}

// Quarantine takes the values away and keeps others from storing until the fill
// is committed or cancelled, however long that takes. A key in two slots is an
// error, and then nothing is done.
func (s *Store[K, V]) Quarantine(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	if s.closed.Load() {
		return nil, cache.ErrClosed
	}
	if err := s.checkSlots(slots); err != nil {
		return nil, err
	}
	if len(slots) > 1 {
		seen := make(map[K]struct{}, len(slots))
		for _, sl := range slots {
			if _, twice := seen[sl.Key]; twice {
				return nil, fmt.Errorf("larder: two slots of one fill have the key %v", sl.Key)
			}
			seen[sl.Key] = struct{}{}
		}
	}
	f := s.open(slots, true)
	var gone []*node[K, V]
	for i := range f.slots {
		sl := &f.slots[i]
		var old *node[K, V]
		sl.held, old = s.shard(sl.hash).hold(sl.key, sl.hash)
		if old != nil {
			gone = append(gone, old)
		}
	}
	told := false
	defer func() {
		if !told { // who was told has ended the goroutine, and nobody gets the fill
			f.Cancel(ctx)
		}
	}()
	for _, n := range gone {
		s.left(n, Invalidated)
	}
	told = true
	return f, nil
}

// checkSlots returns an error if the key of a slot is invalid.
func (s *Store[K, V]) checkSlots(slots []cache.Slot[K]) error {
	if s.check == nil {
		return nil
	}
	for _, sl := range slots {
		if err := s.check(sl.Key); err != nil {
			return err
		}
	}
	return nil
}

func (f *fill[K, V]) Found(i int) *cache.Entry[V] { return f.slots[i].found }

func (f *fill[K, V]) Cancel(context.Context) error {
	if f.done {
		return cache.ErrFillDone
	}
	f.done = true
	if f.write {
		for i := range f.slots {
			f.release(&f.slots[i], nil, 0)
		}
	}
	return nil
}

// Commit stores entries. One that has expired already is refused.
func (f *fill[K, V]) Commit(ctx context.Context, entries ...*cache.Entry[V]) ([]cache.Outcome, error) {
	if f.done {
		return nil, cache.ErrFillDone
	}
	if len(entries) != len(f.slots) {
		f.Cancel(ctx)
		return nil, fmt.Errorf("larder: Commit of %d entries to a fill of %d slots", len(entries), len(f.slots))
	}
	if f.store.closed.Load() {
		f.Cancel(ctx)
		return nil, cache.ErrClosed
	}
	var weights []int
	if f.store.weigh != nil {
		var err error
		if weights, err = f.weights(ctx, entries); err != nil {
			return make([]cache.Outcome, len(entries)), err
		}
	}
	f.done = true
	outcomes := f.outcome[:]
	if len(entries) != 1 {
		outcomes = make([]cache.Outcome, len(entries))
	}
	var malformed error
	next := 0 // not released yet
	defer func() {
		for ; f.write && next < len(f.slots); next++ { // who was told of one has ended the goroutine
			f.release(&f.slots[next], nil, 0)
		}
	}()
	for i, e := range entries {
		next++
		sl, weight := &f.slots[i], 1
		if weights != nil {
			weight = weights[i]
		}
		var n *node[K, V]
		if err := checkTags(e); err != nil {
			malformed = errors.Join(malformed, err)
		} else {
			n = f.node(sl, e)
		}
		switch {
		case f.write:
			outcomes[i] = f.release(sl, n, weight)
		case n != nil:
			outcomes[i] = f.store.commit(sl, n, weight)
		}
		if e != nil {
			f.store.observe([...]cache.Kind{cache.FillRefused, cache.FillPassed, cache.FillStored}[outcomes[i]], 1)
		}
	}
	return outcomes, malformed
}

// checkTags returns an error if nobody could invalidate e by one of its tags.
func checkTags[V any](e *cache.Entry[V]) error {
	if e == nil {
		return nil
	}
	if err := tagname.Check(e.Tags...); err != nil {
		return fmt.Errorf("larder: memstore: %w: %w", cache.ErrNotStorable, err)
	}
	return nil
}

// node returns the node for an entry, nil if it must not be stored.
func (f *fill[K, V]) node(sl *slot[K, V], e *cache.Entry[V]) *node[K, V] {
	if e == nil {
		return nil
	}
	g, ok := sl.watch.Adopt(e.Tags, e.Guard)
	if !ok || f.store.clock.passed(e.Expires) {
		return nil
	}
	n := &node[K, V]{hash: upper(sl.hash), key: sl.key, timed: f.store.leased, entry: *e}
	if g != nil {
		n.timed = n.timed || e.Guard != nil
		n.entry = e.WithGuard(g)
	}
	return n
}

func (s *Store[K, V]) commit(sl *slot[K, V], n *node[K, V], weight int) cache.Outcome {
	sh := s.shard(sl.hash)
	sh.mu.Lock()
	switch {
	case sh.closed, sh.changed(sl.hash, sl.since):
		sh.mu.Unlock()
		return cache.Refused
	case sh.held[sl.key] != nil:
		sh.mu.Unlock()
		return cache.Passed
	}
	gone := sh.add(n, weight)
	sh.mu.Unlock()
	s.added(sh, n, gone)
	return cache.Stored
}

func (f *fill[K, V]) release(sl *slot[K, V], n *node[K, V], weight int) cache.Outcome {
	sh := f.store.shard(sl.hash)
	stored, gone := sh.release(sl.key, sl.hash, sl.held, n, weight)
	if !stored {
		return cache.Refused
	}
	f.store.added(sh, n, gone)
	return cache.Stored
}

// added reports what had to go for n and, if entries have weights, makes room for it.
func (s *Store[K, V]) added(sh *shard[K, V], n *node[K, V], gone eviction[K, V]) {
	if n.slot != none {
		s.expect(endOf(n.entry.Expires)) // first, as OnEvict may end the goroutine
	}
	s.gone(gone)
	switch {
	case s.weigh == nil:
	case n.slot == none:
		s.gone(eviction[K, V]{n, Full})
	default:
		s.shed(sh)
	}
}
