package reference

import (
	"context"
	"fmt"
	"slices"

	"github.com/larder-cache/larder/cache"
)

// fill is the cache.Fill of a reader or a writer.
type fill struct {
	store  *Store
	slots  []slot
	since  uint64
	writer bool
	done   bool
}

type slot struct {
	key   string
	tags  []string
	late  bool
	held  uint64 // hold.changed at Reserve, 0 if there was no quarantine
	found *entry
}

func (f *fill) Found(i int) *entry { return f.slots[i].found }

func (f *fill) Commit(_ context.Context, entries ...*entry) ([]cache.Outcome, error) {
	s := f.store
	if f.done && !s.has(NeverDone) {
		if s.has(StoresWhenDone) && len(entries) == len(f.slots) {
			f.end(entries, false)
		}
		return nil, cache.ErrFillDone
	}
	if err := f.encode(entries); err != nil {
		return make([]cache.Outcome, len(f.slots)), err
	}
	f.done = true
	if len(entries) != len(f.slots) && !s.has(CountUnchecked) {
		n := len(entries)
		f.end(make([]*entry, len(f.slots)), true)
		return nil, fmt.Errorf("reference: Commit of %d entries to a fill of %d slots", n, len(f.slots))
	}
	padded := make([]*entry, len(f.slots))
	copy(padded, entries)
	if s.has(SlotsMixed) {
		slices.Reverse(padded)
	}
	return f.end(padded, false)
}

func (f *fill) Cancel(context.Context) error {
	if f.done && !f.store.has(NeverDone) {
		return cache.ErrFillDone
	}
	f.done = true
	none := make([]*entry, len(f.slots))
	if f.store.has(CancelStores) {
		for i := range none {
			none[i] = &entry{Absent: true, Fresh: cache.Forever, Expires: cache.Forever}
		}
	}
	_, err := f.end(none, true)
	return err
}

func (f *fill) end(entries []*entry, cancel bool) ([]cache.Outcome, error) {
	s := f.store
	outcomes := make([]cache.Outcome, len(entries))
	if err := s.lock(); err != nil {
		return outcomes, err
	}
	defer s.mu.Unlock()
	if s.has(AllOrNothing) && !f.writer && slices.ContainsFunc(entries, func(e *entry) bool {
		i := slices.Index(entries, e)
		return e != nil && s.missed(f, &f.slots[i], e)
	}) {
		return outcomes, nil
	}
	if s.has(TaintSpreads) && f.writer {
		for _, sl := range f.slots {
			if h := s.holds[sl.key]; h != nil && (h.touched || h.rivals) {
				entries = make([]*entry, len(entries))
			}
		}
	}
	var malformed error
	for i, e := range entries {
		sl := &f.slots[i]
		if e != nil && !s.has(MalformedTagStored) && slices.ContainsFunc(e.Tags, func(t string) bool { return t == "" || len(t) > 4096 }) {
			e, malformed = nil, fmt.Errorf("reference: a tag: %w", cache.ErrNotStorable)
		}
		if e == nil && s.has(NilIsAbsent) && !cancel {
			e = &entry{Absent: true, Fresh: cache.Forever, Expires: cache.Forever}
		}
		if e != nil && e.Value == Unstorable && !s.has(UnstorableUnsaid) {
			malformed = fmt.Errorf("reference: %w", cache.ErrNotStorable)
		}
		if f.writer {
			outcomes[i] = s.release(f, sl, e, cancel)
		} else if e != nil {
			outcomes[i] = s.fill(f, sl, e)
		}
	}
	return outcomes, malformed
}

// fill ends a reader's slot.
func (c *core) fill(f *fill, sl *slot, e *entry) cache.Outcome {
	h := c.holds[sl.key]
	switch {
	case e.Value == Unstorable && (c.has(UnstorableVouched) && c.missed(f, sl, e) || c.has(HeldVouched) && h != nil):
		return c.vouch(sl, e)
	case sl.held > 0 && h == nil && c.has(PassesAfterRelease):
		return cache.Passed
	case sl.held > 0 && h != nil && c.has(PassesInvalidated):
		return cache.Passed
	case c.missed(f, sl, e):
		if c.has(CutConsumed) {
			delete(c.keyCuts, sl.key)
		}
		return cache.Refused
	case h != nil && !(c.has(LateFillsStore) && sl.held > 0) && !c.has(EarlyFillsStore):
		if h.changed != sl.held || c.has(NothingPasses) {
			return cache.Refused
		}
		return cache.Passed
	}
	if c.has(CheckThenStore) {
		c.pause()
	}
	return c.keep(sl, e)
}

// missed reports whether something that e depends on was invalidated since the
// fill was opened.
func (c *core) missed(f *fill, sl *slot, e *entry) bool {
	if c.floor > f.since && !(c.has(LossForgetsLateTags) && sl.late) {
		return true
	}
	if c.keyCuts[sl.key] > f.since && !c.settled[sl.key] && !f.writer {
		return true
	}
	if c.has(KeyEpoch) && c.anyKey > f.since || c.has(TagEpoch) && c.anyTag > f.since {
		return true
	}
	for _, t := range e.Tags {
		known := slices.Contains(sl.tags, t)
		if c.has(LateTagsRefused) && !known {
			return true
		}
		if c.tagCuts[c.tag(t)] > f.since && !c.unwatched(f, sl, known) {
			return true
		}
	}
	return false
}

// unwatched reports whether the mistake of this store is not to look at a tag.
func (c *core) unwatched(f *fill, sl *slot, known bool) bool {
	switch c.bug {
	case KnownTagsUnwatched:
		return known && !f.writer
	case LateTagsUnwatched:
		return !known && sl.late && !f.writer
	case UndeclaredUnwatched:
		return !known && !sl.late && !f.writer
	case WriterTagsUnwatched:
		return known && f.writer
	case WriterLateUnwatched:
		return !known && f.writer
	case PeerUnseenInTags:
		return f.store.peer
	}
	return false
}

// release ends a writer's slot.
func (c *core) release(f *fill, sl *slot, e *entry, cancel bool) cache.Outcome {
	h := c.holds[sl.key]
	mine := false
	if h != nil {
		_, mine = h.writers[f]
	}
	now := c.next()
	if !mine && (c.has(LossKeepsRivals) || c.has(LossFreesFills)) {
		if c.has(LossFreesFills) {
			c.remove(sl.key)
		}
		return cache.Refused
	}
	c.keyCuts[sl.key] = now
	c.remove(sl.key)
	if !mine {
		switch {
		case c.has(LossLiftsNext) && h == nil:
			c.missing[sl.key]++
		case c.has(LossLiftsRival):
			delete(c.holds, sl.key)
		}
		return cache.Refused
	}
	h.changed = now
	if !(c.has(HoldsForever) && !cancel) && !(c.has(CancelHolds) && cancel) {
		delete(h.writers, f)
	}
	alone := !h.rivals
	switch {
	case c.has(FirstWriterWins) && len(h.writers) > 0, c.has(LastWriterWins) && len(h.writers) == 0:
		alone = true
	case len(h.writers) > 0 && !c.has(HoldsForever) && !c.has(FirstReleaseLifts):
		return cache.Refused
	}
	if len(h.writers) == 0 || c.has(FirstReleaseLifts) {
		delete(c.holds, sl.key)
	}
	if e == nil {
		if h.old != nil && (c.has(CancelRestores) && cancel || c.has(NilRestores) && !cancel) {
			h.old.gone = false
			c.items[sl.key] = h.old
		}
		return cache.Refused
	}
	if e.Value == Unstorable && c.has(WriterVouched) {
		return c.vouch(sl, e)
	}
	if !alone || h.touched || c.has(WriterNeverStores) || c.missed(f, sl, e) {
		return cache.Refused
	}
	return c.keep(sl, e)
}
