package aside

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// grace is how long after its deadline a load function may still return what its
// own error says.
const grace = 10 * time.Millisecond

// loading is one call of the load function. Its goroutine writes, and who waits
// for done reads.
type loading[V any] struct {
	results []result[V]
	took    time.Duration
	late    error         // of the deadline that we have set
	since   []witness     // nil if it is not shared by callers who may come after it
	done    chan struct{} // closed when it has returned
	leaving
}

// fetch asks the origin once for keys, and gives p back when it has answered. If
// the load function has not returned when its time is over, it is left alone. What
// fails is remembered with since, unless that is nil.
func (g *engine[K, V]) fetch(ctx context.Context, keys []K, old *cache.Entry[V], p *permit, since []witness) ([]result[V], time.Duration) {
	within, cancel := context.WithTimeout(showing(ctx, old), g.o.LoadTimeout)
	l := &loading[V]{since: since, done: make(chan struct{})}
	start := time.Now()
	go func() {
		defer cancel()
		g.call(ctx, within, l, keys, old, p)
	}()
	timer := time.NewTimer(g.o.LoadTimeout + grace)
	defer timer.Stop()
	select {
	case <-l.done:
	case <-timer.C:
		if g.adrift.leave(&l.leaving) {
			took := time.Since(start)
			err := fmt.Errorf("%w: longer than %v, and the load function does not end with its context: %w", cache.ErrLoadTimeout, g.o.LoadTimeout, context.DeadlineExceeded)
			g.observe(cache.LoadTimeout, len(keys), took, err)
			results := failed[V](len(keys), err)
			if since != nil {
				g.learn(ctx, keys, results, since)
			}
			return results, took
		}
		<-l.done
	}
	if l.late != nil {
		g.observe(cache.LoadTimeout, len(keys), l.took, l.late)
	}
	return l.results, l.took
}

// call is the goroutine of a load: nothing that the load function does ends
// another.
func (g *engine[K, V]) call(ctx, within context.Context, l *loading[V], keys []K, old *cache.Entry[V], p *permit) {
	// Each of these also if an Observer ends the goroutine in the one before.
	defer close(l.done)
	defer p.release()
	defer func() {
		// Before the place is free: who waits for it may want the same key.
		if left := g.adrift.end(&l.leaving); l.since != nil && !left {
			g.learn(ctx, keys, l.results, l.since)
		}
	}()
	start := time.Now()
	returned := false
	defer func() {
		if !returned {
			err := &cache.PanicError{Value: recover(), Stack: debug.Stack()}
			l.results, l.took = failed[V](len(keys), err), time.Since(start)
			g.observe(cache.LoadPanic, len(keys), l.took, err)
		}
	}()
	l.results = g.load(within, keys)
	returned = true
	l.took = time.Since(start)
	same := old != nil && !l.results[0].absent && contain.Is(l.results[0].err, cache.ErrNotModified)
	if same {
		l.results[0] = result[V]{value: old.Value}
	}
	ours := ctx.Err() == nil && within.Err() == context.DeadlineExceeded
	var errs []error
	for i := range l.results {
		r := &l.results[i]
		if r.err == nil || r.absent {
			continue
		}
		if ours && contain.Is(r.err, context.DeadlineExceeded) {
			r.err = fmt.Errorf("%w: longer than %v: %w", cache.ErrLoadTimeout, g.o.LoadTimeout, r.err)
			l.late = r.err
		}
		errs = append(errs, r.err)
	}
	if same {
		g.observe(cache.NotModified, 1, l.took, nil)
	}
	g.observe(cache.Load, len(keys), l.took, distinctErrors(errs))
}

// failed returns n results that are all err.
func failed[V any](n int, err error) []result[V] {
	results := make([]result[V], n)
	for i := range results {
		results[i].err = err
	}
	return results
}

// direct asks the origin for one caller alone, on the caller's context.
func (g *engine[K, V]) direct(ctx context.Context, keys []K) []result[V] {
	ctx, err := g.alone(ctx, keys)
	if err != nil {
		return failed[V](len(keys), err)
	}
	p, err := g.limits.enter(ctx, g.o.LoadTimeout)
	if err != nil {
		if ctx.Err() == nil {
			g.observe(cache.LoadRefused, len(keys), 0, err)
		}
		return failed[V](len(keys), err)
	}
	defer p.release() // unless it is moved
	g.observe(cache.Direct, len(keys), 0, nil)
	results, _ := g.fetch(ctx, keys, nil, p.move(), nil)
	return results
}
