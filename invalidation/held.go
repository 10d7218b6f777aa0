package invalidation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/larder-cache/larder/internal/contain"
	"github.com/larder-cache/larder/internal/distinct"
	"github.com/larder-cache/larder/internal/tagname"
)

// releaseTimeout bounds what is told to the store although the caller may have left,
// for stores that have no limit of their own.
const releaseTimeout = 10 * time.Second

// held is what has to be released, tags first, and what could not be held and
// has to be invalidated instead.
type held struct {
	tags, keys []ending
	failed     []ending
}

// ending releases or invalidates something, of which it has the name in errors.
type ending struct {
	name string
	do   func(context.Context) error
}

// quarantineAll holds all targets at once, for life if nobody releases them.
func (d *Domain) quarantineAll(ctx context.Context, targets []Target, life time.Duration) (held, error) {
	var h held
	var tags []string
	var keys []Target
	for i, t := range targets {
		if t.quarantine != nil {
			t.name = fmt.Sprintf("the store of Mutation.Targets[%d]", i)
			keys = append(keys, t)
		} else {
			tags = append(tags, t.tag)
		}
	}
	if tags = distinct.Of(tags); len(tags) > 0 {
		all := Target{
			name: remoteName,
			quarantine: func(ctx context.Context, life time.Duration) (func(context.Context) error, error) {
				return d.quarantineTags(ctx, life, tags)
			},
			invalidate: func(ctx context.Context) error { return d.InvalidateTags(ctx, tags...) },
		}
		keys = append([]Target{all}, keys...)
	}
	steps := make([]step[func(context.Context) error], len(keys))
	for i, k := range keys {
		steps[i].name = k.name
		steps[i].do = func() (func(context.Context) error, error) { return k.quarantine(ctx, life) }
	}
	releases, errs := each(steps)
	for i, r := range releases {
		switch name := keys[i].name; {
		case errs[i] != nil:
			h.failed = append(h.failed, ending{name, keys[i].invalidate})
		case i == 0 && len(tags) > 0:
			h.tags = append(h.tags, ending{name, r})
		default:
			h.keys = append(h.keys, ending{name, r})
		}
	}
	return h, errors.Join(errs...)
}

// release tells the stores that the change is done, whoever has left meanwhile.
func (h held) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	var all []error
	for _, endings := range [][]ending{h.failed, h.tags, h.keys} {
		steps := make([]step[struct{}], len(endings))
		for i, e := range endings {
			steps[i] = step[struct{}]{e.name, func() (struct{}, error) { return struct{}{}, e.do(ctx) }}
		}
		_, errs := each(steps)
		all = append(all, errs...)
	}
	return errors.Join(all...)
}

// whole reports whether every target is held.
func (h held) whole() bool { return len(h.failed) == 0 }

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
		err = contain.DoApart(remoteName, func() (err error) {
			remote, err = d.remote.QuarantineTags(ctx, tags, life)
			return err
		})
		if err != nil {
			d.Expire(tags...)
			d.holds.remove(names...)
			return nil, err
		}
	}
	d.Expire(tags...)
	var once sync.Once
	return func(ctx context.Context) (err error) {
		once.Do(func() {
			if err = contain.DoApart(remoteName, func() error { return remote(ctx) }); err != nil {
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
