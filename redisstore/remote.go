package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// remote is the side of the Domain that is in Redis.
type remote struct{ s *Space }

// tagPart is tags of one lane that one script may touch: as keys, as what is noted for loads
// that learn their tags late, and as what is announced.
type tagPart struct {
	lane  int
	tags  []string
	keys  []string
	notes []any
}

// tagParts sorts tags by lane.
func (s *Space) tagParts(tags []string) (parts []*tagPart) {
	open := map[int]*tagPart{} // that have room, by lane
	for _, t := range tags {
		lane := s.lane(t)
		p := open[lane]
		if p == nil || len(p.tags) == maxKeys {
			p = &tagPart{lane: lane}
			open[lane] = p
			parts = append(parts, p)
		}
		p.tags = append(p.tags, t)
		p.keys = append(p.keys, s.tagKey(t))
		p.notes = append(p.notes, noteOf(t))
	}
	return parts
}

// changeTags runs a script on tags and announces it. It returns the tags of which that has
// failed.
func (s *Space) changeTags(ctx context.Context, script *script, tags []string, args ...any) (marks []invalidation.Mark, failed []string, err error) {
	parts := s.tagParts(tags)
	calls, lanes := make([]*call, len(parts)), make([]int, len(parts))
	for i, p := range parts {
		calls[i] = s.onTags(ctx, script, p.lane, p.keys, &payload{tags: p.tags}, append(args[:len(args):len(args)], p.notes...))
		lanes[i] = p.lane
	}
	marks, errs, err := s.publishOnly(ctx, lanes, calls)
	for i, p := range parts {
		if errs[i] != nil {
			failed = append(failed, p.tags...)
		}
	}
	return marks, failed, err
}

// onTags returns the call that runs a script on the tag keys of a lane. args are
// those of the script after the message, with the notes of the tags.
func (s *Space) onTags(ctx context.Context, script *script, lane int, tagKeys []string, p *payload, args []any) *call {
	keys := append([]string{s.laneKey(lane)}, tagKeys...)
	return script.call(ctx, keys, append(s.head(lane, p), args...)...)
}

func (r remote) InvalidateTags(ctx context.Context, tags []string) error {
	began := time.Now()
	err := r.invalidateTags(ctx, tags)
	r.s.observe(cache.Event{Kind: cache.Invalidated, N: len(tags), Took: time.Since(began), Err: err})
	return err
}

func (r remote) invalidateTags(ctx context.Context, tags []string) error {
	s := r.s
	marks, failed, err := s.changeTags(ctx, invalidateTagsScript, tags)
	s.recent.add(nil, without(tags, failed))
	if err != nil {
		return partOf(err, nil, failed, len(tags))
	}
	return s.await(ctx, marks)
}

func (r remote) QuarantineTags(ctx context.Context, tags []string, life time.Duration) (func(context.Context) error, error) {
	s, id := r.s, random(16)
	left := tags
	release := func(ctx context.Context) error {
		marks, failed, err := s.changeTags(ctx, releaseTagsScript, left, id)
		s.recent.add(nil, without(left, failed))
		if err != nil {
			left = failed
			return err
		}
		return s.await(ctx, marks)
	}
	if _, _, err := s.changeTags(ctx, quarantineTagsScript, tags, id, max(life, quarantineLife).Milliseconds()); err != nil {
		release(context.WithoutCancel(ctx)) // some of it may have been done
		return nil, err
	}
	return release, nil
}

func (r remote) Retry(ctx context.Context, keys, tags []string, all bool) error {
	if all {
		return r.s.Clear(ctx)
	}
	var keysErr, tagsErr error
	if len(keys) > 0 {
		keysErr = r.s.invalidateKeys(ctx, keys)
	}
	if len(tags) > 0 {
		tagsErr = r.invalidateTags(ctx, tags)
	}
	if keysErr == nil && tagsErr == nil {
		return nil
	}
	failedKeys, failedTags := keys, tags
	if keysErr == nil {
		failedKeys = nil
	} else if p, ok := errors.AsType[*partError](keysErr); ok {
		failedKeys = p.keys
	}
	if tagsErr == nil {
		failedTags = nil
	} else if p, ok := errors.AsType[*partError](tagsErr); ok {
		failedTags = p.tags
	}
	return partOf(cmp.Or(keysErr, tagsErr), failedKeys, failedTags, len(keys)+len(tags))
}

// invalidateKeys removes keys and then announces those that are gone. After a *partError
// the others are done.
func (s *Space) invalidateKeys(ctx context.Context, keys []string) error {
	marks, _, failed, err := s.change(ctx, nil, keys, invalidateScript, removeScript)
	s.recent.add(without(keys, failed), nil)
	if err != nil {
		err = partOf(err, failed, nil, len(keys))
	} else {
		err = s.await(ctx, marks)
	}
	// In this process at once, and also after an error.
	s.control.ExpireKeys(hashes(keys)...)
	return err
}

// change runs a script on keys and announces them: whole does both in one step,
// on a single server; in a cluster part does the first, and the announcement
// follows when it has succeeded. args are those that both have beside
// the random bytes and the message. The calls in also go with the first trip, and have
// their own errors. It returns the calls of the change, and the keys of which that, or its
// announcement, has failed.
func (s *Space) change(ctx context.Context, also []*call, keys []string, whole, part *script, args ...any) (marks []invalidation.Mark, changes []*call, failed []string, err error) {
	calls := also
	if s.lanes == 1 {
		var lanes []int
		for some := range s.slots(keys) {
			head := s.head(0, &payload{keys: hashes(some)})
			calls = append(calls, whole.call(ctx, append([]string{s.laneKey(0)}, some...), append(head, args...)...))
			lanes = append(lanes, 0)
		}
		marks, errs, err := s.publishOnly(ctx, lanes, calls)
		for i, some := range slices.Collect(s.slots(keys)) {
			if errs[i] != nil {
				failed = append(failed, some...)
			}
		}
		return marks, calls[len(also):], failed, err
	}
	for some := range s.slots(keys) {
		calls = append(calls, part.call(ctx, some, append([]any{random(8)}, args...)...))
	}
	if err = s.replicate(ctx, calls...); err != nil {
		err = nil
		for _, c := range calls[len(also):] {
			if err1 := c.failed(); err1 != nil {
				failed = append(failed, c.keys...)
				err = cmp.Or(err, err1)
			}
		}
	}
	n := s.newsOfKeys(without(keys, failed))
	lanes := n.lanes()
	marks, errs, err1 := s.publishOnly(ctx, lanes, s.announcements(ctx, n))
	if err1 != nil {
		err = cmp.Or(err, err1)
		silent := map[int]bool{}
		for i, lane := range lanes {
			silent[lane] = errs[i] != nil
		}
		for _, k := range without(keys, failed) {
			if silent[s.lane(k)] {
				failed = append(failed, k)
			}
		}
	}
	return marks, calls[len(also):], failed, err
}

func (r remote) Fence(ctx context.Context) error {
	marks := make([]invalidation.Mark, r.s.lanes)
	for n := range marks {
		marks[n].Lane = n
	}
	return r.s.fence(ctx, marks)
}
