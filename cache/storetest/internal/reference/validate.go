package reference

import (
	"context"
	"slices"
)

// Validate says which slots depend on nothing that was invalidated since Reserve.
func (f *fill) Validate(context.Context) ([]bool, error) {
	s := f.store
	if err := s.lock(); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	valid := make([]bool, len(f.slots))
	for i := range f.slots {
		valid[i] = s.vouches(f, &f.slots[i])
	}
	return valid, nil
}

func (c *core) vouches(f *fill, sl *slot) bool {
	held := f.writer || sl.held > 0 || c.holds[sl.key] != nil
	switch {
	case held && !c.has(ValidatesHeld),
		f.since < c.floor && !c.has(LossValidates),
		c.cut(f, c.keyCuts[sl.key]) && !c.has(ValidatesKeys) && !(held && c.has(ValidatesHeld)):
		return false
	}
	for t, at := range c.tagCuts {
		if !c.cut(f, at) {
			continue
		}
		known, found := slices.Contains(sl.tags, t), sl.found != nil && slices.Contains(sl.found.Tags, t)
		if known && !c.has(ValidatesKnownTags) || found && !known && !c.has(ValidatesFoundTags) ||
			sl.late && sl.found == nil && !known && !c.has(ValidatesLateTags) {
			return false
		}
	}
	return true
}

// cut reports whether something that was invalidated at a tick concerns a fill.
func (c *core) cut(f *fill, at uint64) bool {
	return at > f.since && !(c.has(ValidatesPeers) && f.store.peer)
}
