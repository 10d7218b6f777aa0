package reference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Store is a handle on a store. It is a cache.Cache[string, string].
type Store struct {
	*core
	peer bool
}

// New returns an empty store that makes the mistake b.
func New(b Bug) *Store {
	return &Store{core: &core{
		bug: b, items: map[string]*item{}, keyCuts: map[string]uint64{}, tagCuts: map[string]uint64{},
		holds: map[string]*hold{}, settled: map[string]bool{}, missing: map[string]int{},
		vouched: map[string][]*item{},
	}}
}

// Peer returns another handle on the same store.
func (s *Store) Peer() *Store { return &Store{core: s.core, peer: true} }

func (s *Store) lock() error {
	s.mu.Lock()
	if s.closed && !s.has(OpenAfterClose) {
		s.mu.Unlock()
		return cache.ErrClosed
	}
	return nil
}

// Get returns the valid entry of key or nil.
func (s *Store) Get(_ context.Context, key string) (*entry, error) {
	e, err := s.look(key, true)
	s.observed()
	if e == nil && err == nil && s.has(MissIsError) {
		err = cache.ErrNotFound
	}
	return e, err
}

func (s *Store) look(key string, check bool) (*entry, error) {
	if err := s.lock(); err != nil {
		return nil, err
	}
	if s.lost && s.has(LossIsError) {
		s.mu.Unlock()
		return nil, cache.ErrUnavailable
	}
	it := s.items[s.key(key)]
	if s.has(HandlesApart) && s.peer {
		it = nil
	}
	ok := it != nil && (s.valid(it, s.peer) || !check)
	s.mu.Unlock()
	// Not under the lock, for the entry may have brought a guard of ours.
	now := cache.Now()
	switch {
	case ok && it.brought != nil && it.brought.Trust(time.Now()) == cache.Invalid:
		return nil, nil
	case !ok, s.has(EmptyIsMiss) && it.entry.Value == "", s.has(AbsentIsMiss) && it.entry.Absent:
		return nil, nil
	case s.has(FreshIsExpiry) && it.entry.Fresh <= now:
		return nil, nil
	case check && !s.has(NeverExpires) && now >= it.entry.Expires:
		return nil, nil
	}
	return it.entry, nil
}

// GetMany returns the valid entries of keys.
func (s *Store) GetMany(_ context.Context, keys []string) (map[string]*entry, error) {
	out := make(map[string]*entry, len(keys))
	seen := map[string]bool{}
	for _, k := range keys {
		if seen[k] && s.has(RepeatsAreErrors) {
			return nil, errors.New("reference: a key is repeated")
		}
		seen[k] = true
		e, err := s.look(k, !s.has(ManyUnchecked))
		if err != nil {
			return nil, err
		}
		if e != nil || s.has(ManyHoldsMisses) {
			out[k] = e
		}
	}
	return out, nil
}

// Reserve opens a fill.
func (s *Store) Reserve(_ context.Context, slots ...cache.Slot[string]) (cache.Fill[string], error) {
	f, err := s.open(slots)
	if err != nil {
		return nil, err
	}
	if err := s.lock(); err != nil {
		return nil, err
	}
	f.since = s.tick
	for i := range f.slots {
		sl := &f.slots[i]
		if h := s.holds[sl.key]; h != nil {
			sl.held = h.changed
		}
		if s.has(TokenOfClient) {
			delete(s.keyCuts, sl.key)
		}
	}
	s.mu.Unlock()
	for i := range f.slots {
		sl := &f.slots[i]
		sl.found, err = s.look(sl.key, !s.has(FoundUnchecked))
		switch {
		case err != nil && !s.has(LossIsError):
			return nil, err
		case s.has(FoundNothing):
			sl.found = nil
		case s.has(FoundGhost) && sl.found == nil:
			sl.found = &entry{}
		}
	}
	return f, nil
}

// Quarantine opens the fill of a writer.
func (s *Store) Quarantine(_ context.Context, slots ...cache.Slot[string]) (cache.Fill[string], error) {
	f, err := s.open(slots)
	if err != nil {
		return nil, err
	}
	told := false
	defer func() {
		if !told { // the Observer has ended the goroutine, and nobody gets the fill
			f.Cancel(context.Background())
		}
	}()
	if err := s.hold(f); err != nil {
		told = true
		return nil, err
	}
	s.observed()
	told = true
	return f, nil
}

func (s *Store) hold(f *fill) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	f.writer, f.since = true, s.next()
	for i := range f.slots {
		sl := &f.slots[i]
		if s.has(PeerHoldsAlone) && s.peer {
			continue
		}
		if s.missing[sl.key] > 0 {
			s.missing[sl.key]--
			s.remove(sl.key)
			continue
		}
		old := s.items[sl.key]
		if s.has(WriterFinds) && old != nil {
			sl.found = old.entry
		}
		if !s.has(EarlyFillsStore) {
			s.keyCuts[sl.key] = f.since
		}
		if !s.has(OldValueKept) {
			s.remove(sl.key)
		}
		h := s.holds[sl.key]
		if h == nil || s.has(WriterTakesOver) {
			h = &hold{writers: map[*fill]struct{}{}, old: old, touched: s.has(PutKeepsOld) && old != nil}
			s.holds[sl.key] = h
		}
		h.rivals = len(h.writers) > 0
		h.writers[f] = struct{}{}
		h.changed = f.since
	}
	return nil
}

func (s *Store) open(slots []cache.Slot[string]) (*fill, error) {
	f := &fill{store: s, slots: make([]slot, len(slots))}
	seen := map[string]bool{}
	for i, sl := range slots {
		if seen[sl.Key] {
			return nil, fmt.Errorf("reference: two slots have the key %q", sl.Key)
		}
		seen[sl.Key] = true
		f.slots[i] = slot{key: s.key(sl.Key), tags: sl.Tags, late: sl.LateTags}
	}
	return f, nil
}

// Invalidate removes keys and refuses their open fills.
func (s *Store) Invalidate(_ context.Context, keys ...string) error {
	if s.has(HookKeepsOld) && s.call(anObserver) != nil {
		return nil
	}
	defer s.observed()
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, k := range keys {
		k = s.key(k)
		it, h := s.items[k], s.holds[k]
		if it == nil && s.has(StopsAtUnknownKey) {
			return nil
		}
		s.anyKey = s.next()
		switch {
		case it == nil && h == nil && (s.has(AbsentKeyIgnored) || s.lost && s.has(LossBlindsKeys)),
			it != nil && s.has(PresentKeyOnlyRemoved),
			s.peer && s.has(PeerUnseenByFills):
		case s.has(Tombstone):
			s.keyCuts[k] = math.MaxUint64
		default:
			s.keyCuts[k] = s.tick
		}
		if h != nil {
			h.touched = h.touched || !s.has(InvalidateSpares)
			if s.has(InvalidateLifts) {
				delete(s.holds, k)
			}
		}
		switch {
		case s.has(KeyKept), s.has(PeerUnseenByReads) && s.peer:
		case s.has(PeerNotTold) && !s.peer && it != nil:
			it.peerOnly = true
		case s.has(RemovesPrefix):
			for other := range s.items {
				if strings.HasPrefix(other, k) {
					s.remove(other)
				}
			}
		default:
			s.remove(k)
		}
	}
	return nil
}

// InvalidateTags removes the entries that have one of the tags, and refuses
// their open fills.
func (s *Store) InvalidateTags(_ context.Context, tags ...string) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	for _, t := range tags {
		t = s.tag(t)
		switch {
		case s.has(StopsAtUnknownTag) && !s.carried(t):
			return nil
		case s.has(UnusedTagIgnored) && !s.carried(t):
			continue
		case s.has(OneMember) && s.carried(t):
			s.removeOne(t)
			continue
		}
		s.tagCuts[t] = s.next()
		s.anyTag = s.tick
		switch {
		case s.has(TagClearsAll):
			for k := range s.items {
				s.remove(k)
			}
		case s.has(TagsAreKeys):
			s.remove(t)
		}
	}
	return nil
}
