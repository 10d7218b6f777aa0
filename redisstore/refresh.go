package redisstore

import (
	"context"
	"time"

	"github.com/larder-cache/larder/cache"
)

// A value that is refreshed while it is valid is its own token, which has no room
// for a lock. Who refreshes it is therefore under a key of its own, for four times
// as long as the value took to load. A fill removes it when it stores; if it does
// not, nobody refreshes the value until the key expires.

const mostRefreshLock = 30 * time.Second

func (s *Space) refreshLock(cost time.Duration) time.Duration {
	return max(s.lockWait, min(4*min(cost, mostRefreshLock), mostRefreshLock))
}

// refreshing says of a slot who refreshes it.
type refreshing uint8

const (
	notRefreshing refreshing = iota
	byUs
	byOthers
)

// refreshes returns the calls that take the right to refresh slots, one for each
// that says so.
func (f *fill[K, V]) refreshes(ctx context.Context, slots []cache.Slot[K]) (calls []*call) {
	s := f.store.space
	for i := range f.slots {
		if sl := &f.slots[i]; slots[i].Refresh && sl.key != "" && s.lockWait > 0 {
			key := s.refreshKey(sl.key)
			life := s.refreshLock(f.store.hints.get(sl.key).cost)
			c := command(ctx, "set", key, f.holder, "nx", "px", life.Milliseconds())
			c.keys, c.proves = []string{key}, true
			calls = append(calls, c)
		}
	}
	return calls
}

// refreshed takes the results of refreshes.
func (f *fill[K, V]) refreshed(slots []cache.Slot[K], calls []*call) {
	for i := range f.slots {
		if len(calls) == 0 || !slots[i].Refresh || f.slots[i].key == "" {
			continue
		}
		f.slots[i].refresh = byOthers
		if calls[0].text() == "OK" {
			f.slots[i].refresh = byUs
		}
		calls = calls[1:]
	}
}

// yields reports whether a fill is for refreshes only, and others make them all.
// Then it leaves nothing behind.
func (f *fill[K, V]) yields(ctx context.Context) bool {
	for i := range f.slots {
		if sl := &f.slots[i]; sl.refresh != byOthers && (sl.refresh != byUs || sl.busy == 0) {
			return false
		}
	}
	f.unlock(ctx)
	if done := f.endRefreshes(ctx, nil); done != nil {
		f.store.space.run(ctx, done...)
	}
	return true
}

// endRefreshes returns the calls that give back the right to refresh what writes
// store, or all if writes is nil.
func (f *fill[K, V]) endRefreshes(ctx context.Context, writes []write) (calls []*call) {
	next := 0 // of writes, which are in the order of slots
	for i := range f.slots {
		stores := writes == nil
		if next < len(writes) && writes[next].slot == i {
			stores = writes[next].body != ""
			next++
		}
		if sl := &f.slots[i]; sl.refresh == byUs && sl.key != "" && stores {
			key := f.store.space.refreshKey(sl.key)
			c := command(ctx, "del", key)
			c.keys, c.proves = []string{key}, true
			calls = append(calls, c)
		}
	}
	return calls
}
