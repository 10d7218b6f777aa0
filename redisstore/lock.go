package redisstore

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/larder-cache/larder/cache"
)

// A fill token has a lock: of the fills that share the token one loads, and the
// others wait for it. The lock keeps nothing safe, which the token alone does, so
// losing it, breaking it and going on without it cost a load and nothing else.

const (
	// pollLeast and pollMost are between how often a fill that waits looks by
	// itself, if nobody can wake it.
	pollLeast, pollMost = 25 * time.Millisecond, 100 * time.Millisecond
	// hearing is by how much it waits longer if somebody can.
	hearing = 4
)

// leastLock is the least time that a lock lives, if LockWait allows.
const leastLock = 50 * time.Millisecond

// lockLife returns how long a lock of this store's fills lives without being renewed:
// four times as long as the loads that took longest of late, so that a fill that dies
// with a lock costs the others little if loads are short.
func (s *Store[K, V]) lockLife() time.Duration {
	longest := time.Duration(s.longest.Load())
	if longest == 0 {
		return s.space.lockWait
	}
	return min(s.space.lockWait, max(4*longest, leastLock))
}

// loaded notes how long a load has taken. The longest counts, which is forgotten
// slowly.
func (s *Store[K, V]) loaded(cost time.Duration) {
	if cost <= 0 {
		return
	}
	if old := s.longest.Load(); int64(cost) >= old {
		s.longest.Store(int64(cost))
	} else {
		s.longest.Store(old - (old-int64(cost))/32)
	}
}

// clock is how fills wait; tests have another.
type clock struct {
	now func() time.Time
	// pause returns after d, or earlier when it is woken or the space is closed,
	// or with an error when ctx ends.
	pause func(ctx context.Context, woken, closing <-chan struct{}, d time.Duration) error
}

var realClock = clock{time.Now, func(ctx context.Context, woken, closing <-chan struct{}, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-woken:
	case <-closing:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}}

// wait is the waiting of one fill, of which most do not wait.
type wait struct {
	space  *Space
	hashes []uint32
	keys   []string
	heard  uint32 // the count of wakes before the locks were looked at
	began  time.Time
	woken  chan struct{}
}

// newWait is called before the locks are looked at: what happens to them then will
// not be missed.
func (s *Space) newWait(keys []string) *wait {
	w := &wait{space: s, keys: keys}
	if s.lockWait > 0 {
		w.hashes = hashes(keys)
		w.heard = s.wakes.count(w.hashes)
	}
	return w
}

// waited returns for how long.
func (w *wait) waited() time.Duration {
	if w.woken == nil {
		return 0
	}
	return w.space.clock.now().Sub(w.began)
}

// more waits until it is time to look again, at the latest after left. It returns
// false at once if there was waiting enough.
func (w *wait) more(ctx context.Context, left time.Duration) (bool, error) {
	s := w.space
	patience := s.lockWait - w.waited()
	if patience <= 0 {
		return false, nil
	}
	if w.woken == nil {
		w.began, w.woken = s.clock.now(), make(chan struct{}, 1)
		s.wakes.add(w.hashes, w.woken)
		if s.wakes.count(w.hashes) != w.heard {
			return true, nil
		}
	}
	poll := pollLeast + rand.N(pollMost-pollLeast)
	if s.hears(w.keys) {
		poll *= hearing
	}
	return true, s.clock.pause(ctx, w.woken, s.errands.closing, min(poll, left, patience))
}

// end ends the waiting: nobody need wake it any more.
func (w *wait) end() {
	if w.woken != nil {
		w.space.wakes.remove(w.hashes, w.woken)
	}
}

// hears reports whether messages about all keys arrive, as far as is known.
func (s *Space) hears(keys []string) bool {
	if s.bus == nil {
		return false
	}
	for _, k := range keys {
		l := s.bus.lanes[s.lane(k)]
		l.mu.Lock()
		on := l.subscribed
		l.mu.Unlock()
		if !on {
			return false
		}
	}
	return true
}

// take sorts what acquire says of a slot, but for its value. ok is false if it is
// nothing that acquire says.
func (sl *slot[V]) take(raw string, locks bool) (ok bool) {
	if len(raw) < headerSize {
		return false
	}
	sl.token, sl.nostore = raw[:headerSize], raw[0] == kindQuarantine
	sl.locked, sl.busy = false, 0
	if raw[0] != kindToken || !locks {
		return true
	}
	if sl.locked = len(raw) == headerSize; !sl.locked {
		ms, err := strconv.ParseInt(raw[headerSize:], 10, 32)
		if err != nil || ms <= 0 {
			return false
		}
		sl.busy = time.Duration(ms) * time.Millisecond
	}
	return true
}

// blocked returns for how long the fill could wait for others: until the first of
// their locks ends. It is 0 if there is anything to load that nobody else does, and
// if the fill has a lock, for which others wait: so fills of several keys never wait
// for each other.
func (f *fill[K, V]) blocked() (left time.Duration) {
	now := cache.Now()
	for i := range f.slots {
		sl := &f.slots[i]
		switch {
		case sl.busy > 0 && (left == 0 || sl.busy < left):
			left = sl.busy
		case sl.busy == 0 && (sl.found == nil || sl.found.Fresh <= now):
			return 0
		}
	}
	return left
}

// unlocks returns the calls that let go of the locks of a fill, except of what it is
// about to store.
func (f *fill[K, V]) unlocks(ctx context.Context, writes []write) (calls []*call) {
	var keys, tokens []string
	next := 0 // of writes, which are in the order of slots
	for i := range f.slots {
		stores := false
		if next < len(writes) && writes[next].slot == i {
			stores = writes[next].body != ""
			next++
		}
		if sl := &f.slots[i]; sl.locked && !stores && f.store.space.servers.refuses(ctx, f.store.space, sl.key) == nil {
			keys, tokens = append(keys, sl.key), append(tokens, sl.token)
		}
	}
	for part := range f.store.space.slots(keys) {
		args := make([]any, 1, 1+len(part))
		args[0] = f.holder
		for _, t := range tokens[:len(part)] {
			args = append(args, t)
		}
		tokens = tokens[len(part):]
		c := unlockScript.call(ctx, part, args...)
		c.free = true // whoever waits in vain looks again
		calls = append(calls, c)
	}
	return calls
}

// unlock lets go of all locks. That it fails does no harm: they end by themselves.
func (f *fill[K, V]) unlock(ctx context.Context) {
	if calls := f.unlocks(context.WithoutCancel(ctx), nil); calls != nil {
		f.store.space.run(context.WithoutCancel(ctx), calls...)
		f.unlocked(calls)
	}
}

// unlocked wakes those who wait for what calls have let go of.
func (f *fill[K, V]) unlocked(calls []*call) {
	var awaited []string
	for _, c := range calls {
		for i, n := range c.numbers() {
			if n == 1 && i < len(c.keys) {
				awaited = append(awaited, c.keys[i])
			}
		}
	}
	f.store.space.wake(awaited)
}

// storedAwaited is what the script of a fill says of a key that it has stored, and
// for which somebody waits.
const storedAwaited = 3

// awaited wakes those who wait for what was stored, and makes of done what it is if
// nobody does.
func (f *fill[K, V]) awaited(writes []write, done []int64) {
	var keys []string
	for i, w := range writes {
		if f.writer == "" && done[i] == storedAwaited {
			done[i] = 1
			keys = append(keys, w.key)
		}
	}
	f.store.space.wake(keys)
}

// observeWait tells that a fill has waited, if it has; in vain if it is still
// blocked.
func (f *fill[K, V]) observeWait(w *wait) {
	if w.woken == nil {
		return
	}
	kind := cache.LockWaited
	if f.blocked() > 0 {
		kind = cache.LockLost
	}
	f.store.tell(cache.Event{Kind: kind, N: len(f.keys), Took: w.waited()})
}
