package redisstore

import (
	"sync"
	"time"
)

const (
	// replayed is for how long an invalidation is remembered, to be repeated if
	// a server comes back without it.
	replayed = 30 * time.Second
	// mostReplayed is how many are. If there were more, the space is cleared
	// instead.
	mostReplayed = 1 << 15
)

// recent remembers what this process has invalidated of late: in two halves, of
// which the older is forgotten as a whole.
type recent struct {
	mu       sync.Mutex
	now, old half
}

type half struct {
	began      time.Time
	keys, tags map[string]struct{}
	over       bool
}

func (r *recent) add(keys, tags []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	if r.now.keys == nil {
		r.now.keys, r.now.tags = map[string]struct{}{}, map[string]struct{}{}
	}
	for _, k := range keys {
		r.now.keys[k] = struct{}{}
	}
	for _, t := range tags {
		r.now.tags[t] = struct{}{}
	}
	if len(r.now.keys)+len(r.now.tags) > mostReplayed {
		r.now.keys, r.now.tags, r.now.over = nil, nil, true
	}
}

// turn begins a new half if it is time. The lock is held.
func (r *recent) turn() {
	switch now := time.Now(); {
	case now.Sub(r.now.began) > 2*replayed:
		r.old, r.now = half{}, half{began: now}
	case now.Sub(r.now.began) > replayed:
		r.old, r.now = r.now, half{began: now}
	}
}

// all returns what is remembered. over is true if it was too much.
func (r *recent) all() (keys, tags []string, over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn()
	for _, h := range []half{r.old, r.now} {
		over = over || h.over
		for k := range h.keys {
			keys = append(keys, k)
		}
		for t := range h.tags {
			tags = append(tags, t)
		}
	}
	return keys, tags, over
}
