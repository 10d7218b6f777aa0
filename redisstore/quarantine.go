package redisstore

import (
	"context"

	"github.com/larder-cache/larder/cache"
)

// Quarantine takes the values away and keeps others from storing, in one round
// trip, for at most a minute: the quarantine of a writer that died ends by
// itself. The commit is one round trip more.
func (s *Store[K, V]) Quarantine(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	f, err := s.open(slots)
	if err != nil {
		return nil, err
	}
	f.writer = random(16)
	if len(f.keys) == 0 {
		return f, nil
	}
	late := false
	for i, sl := range f.slots {
		if sl.key != "" {
			f.tags.watch(slots[i].Tags)
			f.tags.star(sl.key)
			late = late || slots[i].LateTags
		}
	}
	if late {
		f.tags.allTails()
	}
	calls := f.tags.calls(ctx)
	n := len(calls)
	for part := range s.space.slots(f.keys) {
		calls = append(calls, quarantineScript.call(ctx, part, random(8), quarantineLife.Milliseconds(), f.writer))
	}
	if err := s.space.run(ctx, calls...); err != nil {
		s.observe(cache.Unavailable, err)
		f.Cancel(context.WithoutCancel(ctx)) // some of it may have been done
		return nil, err
	}
	f.tags.take(calls[:n])
	return f, nil
}
