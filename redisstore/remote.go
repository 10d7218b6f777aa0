package redisstore

import (
	"context"
	"time"

	"github.com/larder-cache/larder/cache"
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

// calls returns the calls that run a script on the tags of each lane.
func (set tagSet) calls(ctx context.Context, s *Space, script *script, args ...any) (calls []*call) {
	for _, lane := range set.lanes() {
		calls = append(calls, s.onTags(ctx, script, lane, set.keys[lane], set.news[lane], append(args[:len(args):len(args)], set.tails[lane]...)))
	}
	return calls
}

// onTags returns the call that runs a script on the tag keys of a lane. args are
// those of the script after the message, with the tails of the tags.
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
	set := r.s.tagSet(tags)
	err := r.s.publish(ctx, set.lanes(), set.calls(ctx, r.s, invalidateTagsScript))
	if err == nil {
		r.s.recent.add(nil, tags)
	}
	return err
}

func (r remote) QuarantineTags(ctx context.Context, tags []string, life time.Duration) (func(context.Context) error, error) {
	s, id := r.s, random(16)
	set := s.tagSet(tags)
	release := func(ctx context.Context) error {
		err := s.publish(ctx, set.lanes(), set.calls(ctx, s, releaseTagsScript, id))
		if err == nil {
			s.recent.add(nil, tags)
		}
		return err
	}
	enter := set.calls(ctx, s, quarantineTagsScript, id, max(life, quarantineLife).Milliseconds())
	if _, err := s.publishOnly(ctx, set.lanes(), enter); err != nil {
		release(context.WithoutCancel(ctx)) // some of it may have been done
		return nil, err
	}
	return release, nil
}

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
		return r.invalidateTags(ctx, tags)
	}
	return nil
}

// invalidateKeys removes keys and then, when all are gone, announces it.
func (s *Space) invalidateKeys(ctx context.Context, keys []string) error {
	marks, err := s.change(ctx, nil, keys, invalidateScript, removeScript)
	if err == nil {
		s.recent.add(keys, nil)
		err = s.await(ctx, marks)
	}
	// In this process at once, and also after an error.
	s.control.ExpireKeys(hashes(keys)...)
	return err
}

// change runs a script on keys and announces them: whole does both in one step,
// on a single server; in a cluster part does the first, and the announcement
// follows when it has succeeded everywhere. args are those that both have beside
// the random bytes and the message. The calls in also go with the first trip.
func (s *Space) change(ctx context.Context, also []*call, keys []string, whole, part *script, args ...any) ([]invalidation.Mark, error) {
	calls := also
	if s.lanes == 1 {
		var lanes []int
		for some := range s.slots(keys) {
			head := s.head(0, &payload{keys: hashes(some)})
			calls = append(calls, whole.call(ctx, append([]string{s.laneKey(0)}, some...), append(head, args...)...))
			lanes = append(lanes, 0)
		}
		return s.publishOnly(ctx, lanes, calls)
	}
	for some := range s.slots(keys) {
		calls = append(calls, part.call(ctx, some, append([]any{random(8)}, args...)...))
	}
	if err := s.replicate(ctx, calls...); err != nil {
		return nil, err
	}
	n := s.newsOfKeys(keys)
	return s.publishOnly(ctx, n.lanes(), s.announcements(ctx, n))
}

func (r remote) Fence(ctx context.Context) error {
	marks := make([]invalidation.Mark, r.s.lanes)
	for n := range marks {
		marks[n].Lane = n
	}
	return r.s.fence(ctx, marks)
}
