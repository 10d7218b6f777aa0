package reference

import (
	"context"
	"slices"
)

// Lose throws all data away.
func (s *Store) Lose(context.Context) error {
	if err := s.lock(); err != nil {
		return err
	}
	defer s.mu.Unlock()
	s.lost = true
	now := s.next()
	switch s.bug {
	case LossRevives:
		clear(s.tagCuts)
		return nil
	case LossBlindsKeys:
		clear(s.items)
		return nil
	case LossForgetsKeys:
		clear(s.items)
		clear(s.keyCuts)
		return nil
	case LossForgetsTags:
		clear(s.items)
		clear(s.tagCuts)
		return nil
	case LossForgetsLateTags:
		clear(s.tagCuts)
	case LossFreesEarlyFills:
		for k := range s.holds {
			delete(s.keyCuts, k)
		}
		clear(s.items)
		clear(s.holds)
		return nil
	case CheckThenStoreOnLoss:
		clear(s.items)
		clear(s.keyCuts)
		clear(s.tagCuts)
		clear(s.holds)
		s.pause()
		s.floor = max(s.floor, now)
		return nil
	}
	for k := range s.items {
		s.remove(k)
	}
	clear(s.keyCuts)
	clear(s.tagCuts)
	clear(s.holds)
	s.floor = now
	return nil
}

// Close makes every call from now on return ErrClosed.
func (s *Store) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

// removeOne removes one entry that has the tag.
func (s *Store) removeOne(tag string) {
	for k, it := range s.items {
		if slices.Contains(it.tags, tag) {
			s.remove(k)
			return
		}
	}
}
