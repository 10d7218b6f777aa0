package redisstore

import (
	"context"

	"github.com/larder-cache/larder/cache"
)

// Quarantine takes the values away, also from the memory of other processes, and
// keeps others from storing, in one round trip, in a cluster in two, for at most a minute: the quarantine of a writer that died ends by
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
	if err := f.enter(ctx); err != nil {
		s.observe(cache.Unavailable, err)
		f.send(context.WithoutCancel(ctx), f.empty()) // some of it may have been done
		return nil, err
	}
	// Nobody reads the old value from Redis from now on, so neither from memory.
	s.space.control.ExpireKeys(hashes(f.keys)...)
	return f, nil
}

// enter takes the values away and then announces it, on a single server in one
// step.
func (f *fill[K, V]) enter(ctx context.Context) (err error) {
	s := f.store.space
	calls := f.tags.calls(ctx)
	n := len(calls)
	life := quarantineLife.Milliseconds()
	if s.lanes == 1 {
		var lanes []int
		for part := range s.slots(f.keys) {
			args := append(s.head(0, &payload{keys: hashes(part)}), f.writer, life)
			calls = append(calls, quarantineOneScript.call(ctx, append([]string{s.laneKey(0)}, part...), args...))
			lanes = append(lanes, 0)
		}
		f.marks, err = s.publishOnly(ctx, lanes, calls)
	} else {
		for part := range s.slots(f.keys) {
			calls = append(calls, quarantineScript.call(ctx, part, random(8), life, f.writer))
		}
		if err = s.replicate(ctx, calls); err == nil {
			news := s.newsOfKeys(f.keys)
			f.marks, err = s.publishOnly(ctx, news.lanes(), s.announcements(ctx, news))
		}
	}
	f.tags.take(calls[:n])
	return err
}
