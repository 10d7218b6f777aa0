package invalidation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/distinct"
)

// Target is what a Mutation takes away from readers: see Tag and Keys.
type Target struct {
	tag        string
	quarantine func(context.Context) (release func(context.Context) error, err error)
	invalidate func(context.Context) error
}

// Tag is the Target of all entries that carry a tag of the Mutation's Domain.
func Tag(tag string) Target { return Target{tag: tag} }

// Keys is the Target of keys in a store.
func Keys[K comparable, V any](store cache.Cache[K, V], keys ...K) Target {
	return Target{
		quarantine: func(ctx context.Context) (func(context.Context) error, error) {
			slots := make([]cache.Slot[K], 0, len(keys))
			for _, k := range distinct.Of(keys) {
				slots = append(slots, cache.Slot[K]{Key: k})
			}
			fill, err := store.Quarantine(ctx, slots...)
			if err != nil {
				return nil, err
			}
			return fill.Cancel, nil
		},
		invalidate: func(ctx context.Context) error { return store.Invalidate(ctx, keys...) },
	}
}

// Mutation is a change of the origin and what it makes obsolete.
type Mutation struct {
	// Targets are the keys and tags whose entries the change makes obsolete.
	Targets []Target
	// FailOpen runs the change even if the targets could not be quarantined, and
	// invalidates them afterwards. The default is not to run it, and to return
	// an error that wraps cache.ErrNotStarted.
	FailOpen bool
	// Timeout bounds the change, by the deadline of its context. It must be
	// shorter than the quarantines live: one minute in Redis. The default is
	// 30s.
	Timeout time.Duration
	// Observer is told when the store could not be asked or told something.
	Observer cache.Observer
}

const (
	mutateTimeout = 30 * time.Second
	// releaseTimeout bounds what is told to the store although the caller may
	// have left, for stores that have no limit of their own.
	releaseTimeout = 10 * time.Second
)

// Mutate runs fn, which changes the origin, such as by the commit of a
// transaction, so that nobody ever reads what it makes obsolete: from the moment
// that fn has committed, and also if this process dies at any moment. Before fn
// runs, the targets are put in quarantine: their entries are gone, readers go to
// the origin, and nobody stores what they load. When fn has returned, the
// quarantine is released. That of a process that has died ends after a minute.
//
// The context of fn makes reads through a Loader go to the origin; see
// cache.Bypass.
//
// An error that wraps cache.ErrNotStarted means that fn was not called: the
// store could not be reached. A *cache.PostCommitError means that fn has
// returned nil, but the store could not be told so: the release is repeated in
// the background, and readers go to the origin meanwhile. Any other error is
// that of fn.
//
// It costs two round trips to the store, beside fn: all targets go together.
func (d *Domain) Mutate(ctx context.Context, targets []Target, fn func(context.Context) error) error {
	return d.Run(ctx, Mutation{Targets: targets}, fn)
}

// Run is Mutate with options.
func (d *Domain) Run(ctx context.Context, m Mutation, fn func(context.Context) error) error {
	switch {
	case m.Timeout < 0:
		return fmt.Errorf("larder: Mutation.Timeout is %v: it cannot be negative: %w", m.Timeout, cache.ErrNotStarted)
	case m.Timeout == 0:
		m.Timeout = mutateTimeout
	}
	held, err := d.quarantineAll(ctx, m.Targets)
	if err != nil {
		m.observe(err)
		if !m.FailOpen || ctx.Err() != nil {
			m.observe(held.release(ctx))
			return fmt.Errorf("%w: %w", cache.ErrNotStarted, err)
		}
	}
	returned := false
	defer func() {
		if !returned { // a panic goes on: what was done before it is unknown
			m.observe(held.release(ctx))
		}
	}()
	within, cancel := context.WithTimeout(cache.Bypass(ctx), m.Timeout)
	defer cancel()
	err = fn(within)
	returned = true
	told := held.release(ctx)
	m.observe(told)
	if err == nil && told != nil {
		return &cache.PostCommitError{Err: told}
	}
	return err
}

func (m *Mutation) observe(err error) {
	if err != nil && m.Observer != nil {
		m.Observer.Observe(cache.Event{Kind: cache.Unavailable, N: 1, Err: err})
	}
}

// held is what has to be released, tags first, and what could not be held and
// has to be invalidated instead.
type held struct {
	tags, keys []func(context.Context) error
	failed     []func(context.Context) error
}

// quarantineAll holds all targets at once.
func (d *Domain) quarantineAll(ctx context.Context, targets []Target) (held, error) {
	var h held
	var tags []string
	var keys []Target
	for _, t := range targets {
		switch {
		case t.quarantine != nil:
			keys = append(keys, t)
		case t.tag == "":
			return h, errors.New("larder: a Target is empty: use Tag or Keys, and no empty tag")
		default:
			tags = append(tags, t.tag)
		}
	}
	if tags = distinct.Of(tags); len(tags) > 0 {
		all := Target{
			quarantine: func(ctx context.Context) (func(context.Context) error, error) { return d.QuarantineTags(ctx, tags...) },
			invalidate: func(ctx context.Context) error { return d.InvalidateTags(ctx, tags...) },
		}
		keys = append([]Target{all}, keys...)
	}
	releases, errs := make([]func(context.Context) error, len(keys)), make([]error, len(keys))
	each(len(keys), func(i int) { releases[i], errs[i] = keys[i].quarantine(ctx) })
	for i, r := range releases {
		switch {
		case errs[i] != nil:
			h.failed = append(h.failed, keys[i].invalidate)
		case i == 0 && len(tags) > 0:
			h.tags = append(h.tags, r)
		default:
			h.keys = append(h.keys, r)
		}
	}
	return h, errors.Join(errs...)
}

// release tells the stores that the change is done, whoever has left meanwhile.
func (h held) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	var all []error
	for _, step := range [][]func(context.Context) error{h.failed, h.tags, h.keys} {
		errs := make([]error, len(step))
		each(len(step), func(i int) { errs[i] = step[i](ctx) })
		all = append(all, errs...)
	}
	return errors.Join(all...)
}

// each calls f for 0 to n-1 at once.
func each(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

// QuarantineTags makes a miss of every entry that carries one of the tags, and
// until the function that it returns is called nobody stores one. It is the part
// of Mutate for tags, for those who write in steps of their own. Releasing again
// does nothing.
func (d *Domain) QuarantineTags(ctx context.Context, tags ...string) (func(context.Context) error, error) {
	if slices.Contains(tags, "") {
		return nil, errors.New("larder: QuarantineTags: a tag is empty")
	}
	var err error
	names := namesOf(aTag, tags)
	remote := func(context.Context) error { return nil }
	d.holds.add(names...) // first, so that nothing gets into memory once the remote store has answered
	if d.remote != nil {
		if remote, err = d.remote.QuarantineTags(ctx, tags); err != nil {
			d.Expire(tags...)
			d.holds.remove(names...)
			return nil, err
		}
	}
	d.Expire(tags...)
	var once sync.Once
	return func(ctx context.Context) (err error) {
		once.Do(func() {
			if err = remote(ctx); err != nil {
				d.retries.addRelease(&release{names, remote})
			}
			// Loads that began meanwhile may have seen the old value: they are
			// refused before the tags can be stored again.
			d.Expire(tags...)
			d.holds.remove(names...)
		})
		return err
	}, nil
}
