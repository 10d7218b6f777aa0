package cachetest

import (
	"sort"
	"sync"
	"testing"
	"time"
)

// Recorder fails a test when a read is older than it may be: when it returns a
// version older than one whose invalidation had returned before the read began.
// Versions of a key are numbers that grow with each change of the origin. Its
// methods may be called at once from many goroutines.
//
//	done := rec.Write(id, next)  // before or after the change of the origin
//	if users.Invalidate(ctx, id) == nil {
//		done()
//	}
//
//	check := rec.Read(id)        // before the read
//	u, err := users.Get(ctx, id)
//	if err == nil {
//		check(u.Version)
//	}
type Recorder[K comparable] struct {
	t     testing.TB
	lease time.Duration

	mu    sync.Mutex
	keys  map[K][]done // versions grow, and so do times
	reads int
	stale int
}

type done struct {
	at      time.Time
	version int64
}

// NewRecorder returns a Recorder for reads past memory and of the process that
// has invalidated. For memory of other processes, lease is how much older reads
// may be; it is 0 otherwise.
func NewRecorder[K comparable](t testing.TB, lease time.Duration) *Recorder[K] {
	checkDelay("the lease of a Recorder", lease)
	return &Recorder[K]{t: t, lease: lease, keys: map[K][]done{}}
}

// Write notes that a version was written. The function it returns is called when
// the invalidation has returned nil, and not if it has failed.
func (r *Recorder[K]) Write(key K, version int64) func() {
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		all := r.keys[key]
		if len(all) == 0 || all[len(all)-1].version < version {
			r.keys[key] = append(all, done{time.Now(), version})
		}
	}
}

// Read notes that a read begins. The function it returns is given the version
// that was read, fails the test if it is too old, and reports whether it was not.
func (r *Recorder[K]) Read(key K) func(version int64) bool {
	began := time.Now()
	r.mu.Lock()
	floor, at := r.floor(key, began.Add(-r.lease))
	r.mu.Unlock()
	return func(version int64) bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reads++
		if version >= floor {
			return true
		}
		r.stale++
		r.t.Helper()
		r.t.Errorf("stale: key %v was read in version %d, %v after the invalidation of version %d had returned", key, version, began.Sub(at), floor)
		return false
	}
}

// floor returns the newest version that was invalidated at or before a moment.
func (r *Recorder[K]) floor(key K, by time.Time) (int64, time.Time) {
	all := r.keys[key]
	i := sort.Search(len(all), func(i int) bool { return all[i].at.After(by) })
	if r.lease == 0 {
		i = len(all) // in order, whatever the resolution of the clock
	}
	if i == 0 {
		return -1 << 63, time.Time{}
	}
	return all[i-1].version, all[i-1].at
}

// Reads returns how many reads were checked, and how many of them were stale.
func (r *Recorder[K]) Reads() (all, stale int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.reads, r.stale
}
