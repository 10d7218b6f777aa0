package invalidation

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/tagname"
)

// releaseTimeout bounds what is told to the store although the caller may have left,
// for stores that have no limit of their own.
const releaseTimeout = 10 * time.Second

// held is what has to be released, tags first, and what could not be held and
// has to be invalidated instead.
type held struct {
	tags, keys []func(context.Context) error
	failed     []func(context.Context) error
}

// quarantineAll holds all targets at once, for life if nobody releases them.
func (d *Domain) quarantineAll(ctx context.Context, targets []Target, life time.Duration) (held, error) {
	var h held
	var tags []string
	var keys []Target
	for _, t := range targets {
		if t.quarantine != nil {
			keys = append(keys, t)
		} else {
			tags = append(tags, t.tag)
		}
	}
	if tags = distinct.Of(tags); len(tags) > 0 {
		all := Target{
			quarantine: func(ctx context.Context, life time.Duration) (func(context.Context) error, error) {
				return d.quarantineTags(ctx, life, tags)
			},
			invalidate: func(ctx context.Context) error { return d.InvalidateTags(ctx, tags...) },
		}
		keys = append([]Target{all}, keys...)
	}
	releases, errs := make([]func(context.Context) error, len(keys)), make([]error, len(keys))
	each(len(keys), func(i int) { releases[i], errs[i] = keys[i].quarantine(ctx, life) })
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

// whole reports whether every target is held.
func (h held) whole() bool { return len(h.failed) == 0 }

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
// does nothing. If this process dies, the quarantine ends by itself after a minute.
// A tag that is empty or longer than 4096 bytes is an error, and then nothing is done.
func (d *Domain) QuarantineTags(ctx context.Context, tags ...string) (func(context.Context) error, error) {
	if err := tagname.Check(tags...); err != nil {
		return nil, errTags("QuarantineTags", err)
	}
	return d.quarantineTags(ctx, 0, tags)
}

func (d *Domain) quarantineTags(ctx context.Context, life time.Duration, tags []string) (func(context.Context) error, error) {
	var err error
	names := namesOf(aTag, tags)
	remote := func(context.Context) error { return nil }
	d.holds.add(names...) // first, so that nothing gets into memory once the remote store has answered
	if d.remote != nil {
		if remote, err = d.remote.QuarantineTags(ctx, tags, life); err != nil {
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
