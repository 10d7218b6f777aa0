package aside

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// adrift are the loads that were left alone and have not returned.
type adrift struct {
	mu  sync.Mutex
	all map[*leaving]struct{}
}

// leaving says which came first: that a load has returned, or that it was left.
type leaving struct {
	left, ended bool
	returned    chan struct{} // closed when a load that was left returns
}

// leave reports whether a load that has not returned was left.
func (a *adrift) leave(l *leaving) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !l.ended {
		l.left, l.returned = true, make(chan struct{})
		if a.all == nil {
			a.all = map[*leaving]struct{}{}
		}
		a.all[l] = struct{}{}
	}
	return l.left
}

// end reports whether a load that has returned had been left.
func (a *adrift) end(l *leaving) (left bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l.ended = true; l.left {
		delete(a.all, l)
		close(l.returned)
	}
	return l.left
}

// wait waits until all that have been left when it is called have returned, or ctx
// ends, and returns how many have not.
func (a *adrift) wait(ctx context.Context) (left int) {
	a.mu.Lock()
	all := slices.Collect(maps.Keys(a.all))
	a.mu.Unlock()
	for _, l := range all {
		select {
		case <-l.returned:
		default:
			select {
			case <-l.returned:
			case <-ctx.Done():
				left++
			}
		}
	}
	return left
}
