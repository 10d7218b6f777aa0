package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-cache/larder/internal/waitgraph"
)

// owners knows which loads of this process have locks, by key, so that no load waits for a
// lock that is let go of only when it has ended itself.
type owners struct {
	mu sync.Mutex
	of map[string]*waitgraph.Work
}

func (o *owners) get(key string) *waitgraph.Work {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.of[key]
}

// own notes the locks of a fill. A fill that is of no load that can be asked for, has none.
func (f *fill[K, V]) own(ctx context.Context) {
	if f.work = waitgraph.From(ctx); f.work == nil {
		return
	}
	o := &f.store.space.owners
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range f.slots {
		if sl := &f.slots[i]; sl.locked {
			if o.of == nil {
				o.of = map[string]*waitgraph.Work{}
			}
			o.of[sl.key] = f.work
		}
	}
}

// disown is called when the fill has been committed or cancelled.
func (f *fill[K, V]) disown() {
	if f.work == nil {
		return
	}
	o := &f.store.space.owners
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range f.slots {
		if sl := &f.slots[i]; sl.locked && o.of[sl.key] == f.work {
			delete(o.of, sl.key)
		}
	}
	f.work = nil
}

var errOwn = errors.New("larder: the lock is that of a load which waits for this one")

// await waits as wait.more does. It does not wait, or no longer, for a load of this process that
// waits for the load of ctx.
func (f *fill[K, V]) await(ctx context.Context, w *wait, left time.Duration) (again bool, err error) {
	if waitgraph.From(ctx) == nil {
		return w.more(ctx, left)
	}
	within, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for i := range f.slots {
		sl := &f.slots[i]
		if sl.busy == 0 {
			continue
		}
		owner := f.store.space.owners.get(sl.key)
		if owner == nil {
			continue
		}
		wait, cycle := waitgraph.Begin(ctx, waitgraph.Lock(owner, func() { stop(errOwn) }))
		if cycle != nil {
			return false, nil
		}
		defer wait.End()
	}
	again, err = w.more(within, left)
	if context.Cause(within) == errOwn {
		return false, nil
	}
	return again, err
}
