package redisstore

import (
	"context"

	"github.com/larder-cache/larder/invalidation"
)

// remote is the side of the Domain that is in Redis.
type remote struct{ s *Space }

// tagSet is tags by lane, as keys and as names of tails.
type tagSet struct {
	keys  map[int][]string
	tails map[int][]any
	news
}

func (s *Space) tagSet(tags []string) tagSet {
	set := tagSet{keys: map[int][]string{}, tails: map[int][]any{}}
	for _, t := range tags {
		at := s.tail(t)
		set.keys[at.lane] = append(set.keys[at.lane], s.tagKey(t))
		set.tails[at.lane] = append(set.tails[at.lane], tailName(at.i))
		p := set.at(at.lane)
		p.tags = append(p.tags, t)
	}
	return set
}

func (r remote) InvalidateTags(ctx context.Context, tags []string) error {
	set := r.s.tagSet(tags)
	var calls []*call
	for _, lane := range set.lanes() {
		calls = append(calls, r.s.expireTags(ctx, lane, set.keys[lane], set.news[lane], set.tails[lane]))
	}
	err := r.s.publish(ctx, set.lanes(), calls)
	if err == nil {
		r.s.recent.add(nil, tags)
	}
	return err
}

func (s *Space) expireTags(ctx context.Context, lane int, tagKeys []string, p *payload, tails []any) *call {
	keys := append([]string{s.laneKey(lane)}, tagKeys...)
	return invalidateTagsScript.call(ctx, keys, append(s.head(lane, p), tails...)...)
}

func (r remote) QuarantineTags(ctx context.Context, tags []string) (func(context.Context) error, error) {
	s, id := r.s, random(16)
	set := s.tagSet(tags)
	var calls []*call
	for _, lane := range set.lanes() {
		args := append(s.head(lane, set.news[lane]), id, quarantineLife.Milliseconds())
		calls = append(calls, quarantineTagsScript.call(ctx, append([]string{s.laneKey(lane)}, set.keys[lane]...), append(args, set.tails[lane]...)...))
	}
	release := func(ctx context.Context) error {
		var calls []*call
		for _, lane := range set.lanes() {
			args := append(s.head(lane, set.news[lane]), id)
			calls = append(calls, releaseTagsScript.call(ctx, append([]string{s.laneKey(lane)}, set.keys[lane]...), append(args, set.tails[lane]...)...))
		}
		err := s.publish(ctx, set.lanes(), calls)
		if err == nil {
			s.recent.add(nil, tags)
		}
		return err
	}
	if _, err := s.publishOnly(ctx, set.lanes(), calls); err != nil {
		release(context.WithoutCancel(ctx)) // some of it may have been done
		return nil, err
	}
	return release, nil
}

// Retry goes on after Close: what has failed was called before.
func (r remote) Retry(ctx context.Context, keys, tags []string, all bool) error {
	if all {
		return r.s.Clear(ctx)
	}
	if len(keys) > 0 {
		if err := r.s.invalidateKeys(ctx, keys); err != nil {
			return err
		}
	}
	if len(tags) > 0 {
		return r.InvalidateTags(ctx, tags)
	}
	return nil
}

// invalidateKeys removes keys and then, when all are gone, announces it. On a
// single server that is one step.
func (s *Space) invalidateKeys(ctx context.Context, keys []string) error {
	if s.closed.Load() {
		return errClosed
	}
	var err error
	if s.lanes == 1 {
		var calls []*call
		var lanes []int
		for part := range s.slots(keys) {
			p := &payload{keys: hashes(part)}
			lanes = append(lanes, 0)
			calls = append(calls, invalidateScript.call(ctx, append([]string{s.laneKey(0)}, part...), s.head(0, p)...))
		}
		err = s.publish(ctx, lanes, calls)
	} else {
		var calls []*call
		for part := range s.slots(keys) {
			calls = append(calls, removeScript.call(ctx, part, random(8)))
		}
		if err = s.replicate(ctx, calls); err == nil {
			n := s.newsOfKeys(keys)
			err = s.publish(ctx, n.lanes(), s.announcements(ctx, n))
		}
	}
	if err == nil {
		s.recent.add(keys, nil)
	}
	// In this process at once, and also after an error.
	s.control.ExpireKeys(hashes(keys)...)
	return err
}

func (r remote) Fence(ctx context.Context) error {
	marks := make([]invalidation.Mark, r.s.lanes)
	for n := range marks {
		marks[n].Lane = n
	}
	return r.s.fence(ctx, marks)
}
