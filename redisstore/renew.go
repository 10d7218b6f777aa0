package redisstore

import (
	"context"
	"sync"
	"time"
)

// A lock lives only a few times as long as loads of late, so that a process which dies
// with it costs the others little. While a load takes longer than that, its fill renews
// the lock, each time for twice as long: so it lives on for about as long as the load
// has taken, and for LockWait at most, when the process dies, and the renewals are few.
// A load that is quick needs none.

// renewal is how a fill keeps its locks.
type renewal struct {
	space  *Space
	holder string
	keys   []string
	tokens []string
	began  time.Time

	mu    sync.Mutex
	life  time.Duration // of the locks as they are
	ended bool
	stop  func() bool
}

// keep has the locks of a fill renewed until it ends.
func (f *fill[K, V]) keep() {
	r := &renewal{space: f.store.space, holder: f.holder, life: f.life, began: time.Now()}
	for i := range f.slots {
		if sl := &f.slots[i]; sl.locked {
			r.keys, r.tokens = append(r.keys, sl.key), append(r.tokens, sl.token)
		}
	}
	if len(r.keys) > 0 {
		f.renewal = r
		r.next()
	}
}

// next waits for a half of the locks' life.
func (r *renewal) next() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.stop = r.space.later(r.life/2, func() { r.space.errands.run(r.renew) })
	}
}

// end lets the locks end. A nil renewal has nothing to do.
func (r *renewal) end() {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		r.ended = true
		r.stop()
	}
}

// renew renews the locks that are still there. That it fails costs a load, no more:
// then it is tried again when it would have been due.
func (r *renewal) renew() {
	r.mu.Lock()
	ended := r.ended || time.Since(r.began) > fillLife // after which nothing is stored
	r.life = min(2*r.life, r.space.lockWait)
	life := r.life
	r.mu.Unlock()
	if ended {
		return
	}
	ctx := context.Background()
	var calls []*call
	tokens := r.tokens
	for part := range r.space.slots(r.keys) {
		args := make([]any, 2, 2+len(part))
		args[0], args[1] = r.holder, life.Milliseconds()
		for _, t := range tokens[:len(part)] {
			args = append(args, t)
		}
		tokens = tokens[len(part):]
		calls = append(calls, renewScript.call(ctx, part, args...))
	}
	has := r.space.run(ctx, calls...) != nil
	for _, c := range calls {
		for _, n := range c.numbers() {
			has = has || n == 1
		}
	}
	if has {
		r.next()
	}
}

// afterFunc is how renewals wait; tests have another.
func afterFunc(d time.Duration, f func()) (stop func() bool) { return time.AfterFunc(d, f).Stop }
