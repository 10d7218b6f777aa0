package invalidation

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/larder-cache/larder/internal/contain"
)

const (
	retryBase = 50 * time.Millisecond
	retryCap  = 5 * time.Second
	// retryMost is how many names may wait. With more, everything is
	// invalidated instead.
	retryMost = 1 << 16
	// retryBatch is how many are invalidated at once.
	retryBatch = 250
	// retryRow of failures, one after the other, end an attempt: then it is no part of
	// the remote store that does not answer.
	retryRow = 4
	// retryTime bounds one attempt, for remotes that have no limit of their own.
	retryTime = 10 * time.Second
)

// retries are the invalidations and releases that have failed and are tried
// again until they succeed, with a pause that doubles, and of which a random part
// is left out so that processes do not knock together.
// What is in it is held: this process reads around the remote store meanwhile.
type retries struct {
	d       *Domain
	ctx     context.Context
	stopAll context.CancelFunc

	mu       sync.Mutex
	names    map[name]uint64 // with the count when they were last added
	releases map[*release]struct{}
	count    uint64
	all      bool
	running  bool
	stopped  bool
	poke     chan struct{} // try now
	done     sync.WaitGroup
}

// release is the end of a quarantine that could not be confirmed.
type release struct {
	names []name
	do    func(context.Context) error
}

// RetryKeys has the invalidation of keys, by their names in the remote store,
// tried again until it succeeds. Until then they are held.
func (c Control) RetryKeys(keys ...string) { c.d.retries.add(namesOf(aKey, keys)) }

// RetryTags is RetryKeys for tags.
func (c Control) RetryTags(tags ...string) { c.d.retries.add(namesOf(aTag, tags)) }

// RetryRelease has the release of a quarantine of keys tried again.
func (c Control) RetryRelease(keys []string, do func(context.Context) error) {
	c.d.retries.addRelease(&release{namesOf(aKey, keys), do})
}

// RetryNow has what waits to be repeated tried at once: the remote store has answered.
func (c Control) RetryNow() {
	select {
	case c.d.retries.poke <- struct{}{}:
	default:
	}
}

// RetryAll has everything invalidated, and holds everything until then.
func (c Control) RetryAll() {
	r := &c.d.retries
	r.mu.Lock()
	defer r.mu.Unlock()
	r.everything()
	r.start()
}

func (r *retries) add(names []name) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count++
	if r.names == nil {
		r.names = map[name]uint64{}
	}
	for _, n := range names {
		if _, ok := r.names[n]; !ok {
			r.d.holds.add(n)
		}
		r.names[n] = r.count
	}
	if len(r.names) > retryMost {
		r.everything()
	}
	r.start()
}

func (r *retries) everything() {
	r.count++
	r.all = true
	r.d.holds.setAll(true)
	for n := range r.names {
		r.d.holds.remove(n)
	}
	r.names = nil
	r.d.ExpireAll()
}

func (r *retries) addRelease(re *release) {
	r.d.holds.add(re.names...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.releases == nil {
		r.releases = map[*release]struct{}{}
	}
	r.releases[re] = struct{}{}
	r.start()
}

// start has a goroutine run while there is something to do. The lock is held.
func (r *retries) start() {
	if r.running || r.stopped || r.d.remote == nil {
		return
	}
	if r.ctx == nil {
		r.ctx, r.stopAll = context.WithCancel(context.Background())
	}
	r.running = true
	r.done.Go(r.run)
}

func (r *retries) run() {
	pause := retryBase
	timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
	defer timer.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-timer.C:
		case <-r.poke:
			pause = retryBase
		}
		if r.attempt() {
			pause = retryBase
		} else {
			pause = min(2*pause, retryCap)
		}
		if r.over() {
			return
		}
		timer.Reset(rand.N(pause + 1))
	}
}

// over ends the goroutine if there is nothing left.
func (r *retries) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.names) > 0 || len(r.releases) > 0 || r.all {
		return false
	}
	r.running = false
	return true
}

// attempt tries everything once, and reports whether all of it has succeeded. What fails
// does not keep the rest from being tried, unless nothing succeeds.
func (r *retries) attempt() bool {
	row, ok := 0, true
	for _, re := range r.waiting() {
		if r.within(re.do) != nil {
			ok = false
			if row++; row == retryRow {
				break
			}
			continue
		}
		row = 0
		r.mu.Lock()
		delete(r.releases, re)
		r.mu.Unlock()
		r.d.holds.remove(re.names...)
	}
	failed := map[name]bool{}
	for row = 0; row < retryRow; {
		keys, tags, all, upTo := r.batch(failed)
		if len(keys)+len(tags) == 0 && !all {
			break
		}
		err := r.within(func(ctx context.Context) error { return r.d.remote.Retry(ctx, keys, tags, all) })
		if err != nil && all {
			return false
		}
		if err != nil {
			ok = false
			leftKeys, leftTags := unfinished(err, keys, tags)
			if row++; len(leftKeys)+len(leftTags) < len(keys)+len(tags) {
				row = 0
			}
			for _, n := range append(namesOf(aKey, leftKeys), namesOf(aTag, leftTags)...) {
				failed[n] = true
			}
			keys, tags = others(aKey, keys, failed), others(aTag, tags, failed)
		} else {
			row = 0
		}
		r.d.Expire(tags...)
		r.confirm(keys, tags, all, upTo)
	}
	return ok
}

// others returns the texts of those names of a kind that have not failed.
func others(k kind, texts []string, failed map[name]bool) []string {
	return slices.DeleteFunc(slices.Clone(texts), func(t string) bool { return failed[name{k, t}] })
}

func (r *retries) within(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(r.ctx, retryTime)
	defer cancel()
	err := contain.DoApart(remoteName, func() error { return do(ctx) })
	for _, p := range panics(err) {
		contain.Log("", p)
	}
	return err
}

func (r *retries) waiting() []*release {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*release, 0, len(r.releases))
	for re := range r.releases {
		out = append(out, re)
	}
	return out
}

// batch returns what is to be tried next, of what has not failed in this attempt.
func (r *retries) batch(failed map[name]bool) (keys, tags []string, all bool, upTo uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.all {
		return nil, nil, true, r.count
	}
	for n := range r.names {
		if failed[n] {
			continue
		}
		if n.kind == aKey {
			keys = append(keys, n.text)
		} else {
			tags = append(tags, n.text)
		}
		if len(keys)+len(tags) == retryBatch {
			break
		}
	}
	return keys, tags, false, r.count
}

// confirm takes out what was invalidated, but for what was added again since.
func (r *retries) confirm(keys, tags []string, all bool, upTo uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if all {
		if r.count == upTo {
			r.all = false
			r.d.holds.setAll(false)
		}
		return
	}
	for _, n := range append(namesOf(aKey, keys), namesOf(aTag, tags)...) {
		if at, ok := r.names[n]; ok && at <= upTo {
			delete(r.names, n)
			r.d.holds.remove(n)
		}
	}
}

// len returns how many invalidations and releases wait.
func (r *retries) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := len(r.names) + len(r.releases)
	if r.all {
		n++
	}
	return n
}

func (r *retries) stop() int {
	r.mu.Lock()
	r.stopped = true
	if r.stopAll != nil {
		r.stopAll()
	}
	r.mu.Unlock()
	r.done.Wait()
	return r.len()
}
