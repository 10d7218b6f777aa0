package redisstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
)

// apartReads is how many reads may be under way at once in a space while memory
// in front of it cannot serve.
const apartReads = 16

var errCrowded = fmt.Errorf("%w: too many reads wait for it", errUnavailable)

// shared lets reads of one key go together, while memory in front of Redis cannot
// serve and everything that it would have answered comes here.
type shared[V any] struct {
	patience time.Duration // with which a place is waited for
	mu       sync.Mutex
	next     map[string]*sharedRead[V] // that have not departed
}

// sharedRead is read by its caller's ctx, and joined only before it is sent: what
// was invalidated before a caller came must not be in its answer.
type sharedRead[V any] struct {
	done chan struct{}
	e    *cache.Entry[V]
	err  error
	left bool // its owner has left: it is no answer
}

func (s *shared[V]) get(ctx context.Context, places chan struct{}, key string, read func() (*cache.Entry[V], error)) (*cache.Entry[V], error) {
	for {
		s.mu.Lock()
		r := s.next[key]
		if r == nil {
			r = &sharedRead[V]{done: make(chan struct{})}
			if s.next == nil {
				s.next = map[string]*sharedRead[V]{}
			}
			s.next[key] = r
			s.mu.Unlock()
			return s.own(ctx, places, key, r, read)
		}
		s.mu.Unlock()
		select {
		case <-r.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !r.left {
			return r.e, r.err
		}
	}
}

func (s *shared[V]) own(ctx context.Context, places chan struct{}, key string, r *sharedRead[V], read func() (*cache.Entry[V], error)) (*cache.Entry[V], error) {
	r.left = true
	defer close(r.done) // also if read panics, which a codec may
	timer := time.NewTimer(s.patience)
	defer timer.Stop()
	depart := func() {
		s.mu.Lock()
		delete(s.next, key)
		s.mu.Unlock()
	}
	select {
	case places <- struct{}{}:
		defer func() { <-places }()
	case <-timer.C:
		depart()
		r.left, r.err = false, errCrowded
		return nil, r.err
	case <-ctx.Done():
		depart()
		return nil, ctx.Err()
	}
	depart()
	r.e, r.err = read()
	r.left = ctx.Err() != nil
	return r.e, r.err
}
