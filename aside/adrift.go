package aside

import (
	"context"
	"sync"

	"github.com/larder-cache/larder/internal/flight"
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
	returned := make([]<-chan struct{}, 0, len(a.all))
	for l := range a.all {
		returned = append(returned, l.returned)
	}
	a.mu.Unlock()
	return flight.Await(ctx, returned)
}
