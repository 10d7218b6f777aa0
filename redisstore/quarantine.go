package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
)

// Quarantine takes the values away, also from the memory of other processes, and
// keeps others from storing, in one round trip, in a cluster in two. The quarantine of a
// writer that died ends by itself, after a minute or the longest Slot.Hold. The commit is one round trip more.
func (s *Store[K, V]) Quarantine(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	f, err := s.open(ctx, slots)
	if err != nil {
		return nil, err
	}
	f.writer = random(16)
	if len(f.keys) == 0 {
		return f, nil
	}
	late, life := false, quarantineLife
	for i, sl := range f.slots {
		if sl.key != "" {
			f.tags.watch(slots[i].Tags)
			f.tags.star(sl.key)
			late = late || slots[i].LateTags
			life = max(life, slots[i].Hold)
		}
	}
	if late {
		f.tags.allLanes()
	}
	if err := f.enter(ctx, life); err != nil {
		s.observe(cache.Unavailable, err)
		f.send(context.WithoutCancel(ctx), empties(f.keys)) // some of it may have been done
		return nil, err
	}
	// Nobody reads the old value from Redis from now on, so neither from memory.
	s.space.control.ExpireKeys(hashes(f.keys)...)
	return f, nil
}

// enter takes the values away and then announces it, and reads the versions of
// the tags in the same trip.
func (f *fill[K, V]) enter(ctx context.Context, life time.Duration) error {
	tags := f.tags.calls(ctx)
	marks, changes, _, err := f.store.space.change(ctx, tags[:len(tags):len(tags)], f.keys,
		quarantineOneScript, quarantineScript, life.Milliseconds(), f.writer)
	f.tags.take(tags)
	if err != nil {
		return err
	}
	f.marks = marks
	return f.entered(changes)
}

// entered notes the headers of the quarantines: a value is stored only if its own is there
// until the release. That there is one with the id of this writer is not enough: a
// repetition of enter may make another, long after others have written.
func (f *fill[K, V]) entered(changes []*call) error {
	headers := make(map[string]string, len(f.keys))
	for _, c := range changes {
		got := c.strings() // on a single server, the first is the tail of the lane
		for i, k := range c.keys[:min(len(got), len(c.keys))] {
			headers[k] = got[i]
		}
	}
	for i := range f.slots {
		if sl := &f.slots[i]; sl.key != "" {
			if sl.token = headers[sl.key]; len(sl.token) != headerSize {
				return fmt.Errorf("%w: no header of a quarantine: %q", errUnavailable, sl.token)
			}
		}
	}
	return nil
}
