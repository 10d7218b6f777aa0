package redisstore

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"unique"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/validkey"
)

// Get reads the value and the versions of its tags in one round trip: as one
// MGET, or as one pipeline for each server of a cluster. It takes a second trip
// if the entry has tags that this process has not seen on it before. While memory
// in front of the space cannot serve, because the process is apart from Redis,
// reads of one key share a trip, and at most 16 are under way at once.
func (s *Store[K, V]) Get(ctx context.Context, k K) (*cache.Entry[V], error) {
	key, err := s.keyOf(ctx, k)
	if err != nil {
		return nil, err
	}
	if key == "" {
		s.observe(cache.MissKey, nil)
		if s.space.closed.Load() {
			return nil, errClosed
		}
		return nil, nil
	}
	if err := s.skip(); err != nil {
		return nil, err
	}
	if s.space.bus != nil && s.space.apart(key, s.hints.get(key).tags) {
		return s.shared.get(ctx, s.space.places, key, func() (*cache.Entry[V], error) {
			if err := s.skip(); err != nil { // it has opened while this one waited
				return nil, err
			}
			return s.get(ctx, key)
		})
	}
	return s.get(ctx, key)
}

// skip returns the error of a reader that must not ask Redis now, or nil.
func (s *Store[K, V]) skip() error {
	if !s.space.servers.single.breaker.refuses() && !s.space.reads.refuses() {
		return nil
	}
	if s.space.closed.Load() {
		return errClosed
	}
	s.observe(cache.Skipped, nil)
	return errOpen
}

// failed tells that a read or fill has failed. A breaker has told of what was not asked.
func (s *Store[K, V]) failed(err error) {
	if errors.Is(err, cache.ErrBreakerOpen) {
		s.observe(cache.Skipped, nil)
	} else {
		s.observe(cache.Unavailable, err)
	}
}

// apart reports whether memory cannot serve an entry, since a lane that it depends on has
// no lease.
func (s *Space) apart(key string, tags []string) bool {
	if s.lanes == 1 {
		return s.Apart()
	}
	return s.control.Apart(s.lane(key)) || slices.ContainsFunc(tags, func(t string) bool { return s.control.Apart(s.lane(t)) })
}

func (s *Store[K, V]) get(ctx context.Context, key string) (*cache.Entry[V], error) {
	h := s.hints.get(key)
	v := newView(s.space)
	defer v.release()
	v.gathers = !h.large
	v.value(key)
	v.hints = append(v.hints, h)
	v.tags(h.tags)
	v.watch()
	err := v.read(ctx)
	s.space.reads.took(err)
	if err != nil {
		s.failed(err)
		return nil, err
	}
	return s.judge(ctx, v, 0)
}

// GetMany reads all keys and the versions of their tags in one round trip, and
// takes a second one for tags that it did not expect. With an error, the result has
// what could be read: in a cluster, what depends on no master that does not answer.
func (s *Store[K, V]) GetMany(ctx context.Context, keys []K) (map[K]*cache.Entry[V], error) {
	if s.space.closed.Load() {
		return nil, errClosed
	}
	if err := s.skip(); err != nil {
		return nil, err
	}
	v := newView(s.space)
	defer v.release()
	v.partial = true
	found := make(map[K]*cache.Entry[V], len(keys)) // nil for what is asked for
	asked := make([]K, 0, len(keys))
	var texts []byte
	keys, failed := validkey.Valid(s.check, keys)
	for _, k := range keys {
		if _, twice := found[k]; twice {
			continue
		}
		from := len(texts)
		var err error
		if texts, err = s.appendKey(ctx, texts, k); err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		if len(texts) == from {
			s.observe(cache.MissKey, nil)
			continue
		}
		key := textOf(texts[from:])
		found[k] = nil
		asked = append(asked, k)
		h := s.hints.get(key)
		v.value(key)
		v.hints = append(v.hints, h)
		v.tags(h.tags)
	}
	if len(asked) == 0 {
		return found, failed
	}
	v.watch()
	err := v.read(ctx)
	if err1 := v.complete(ctx); err == nil {
		err = err1
	}
	s.space.reads.took(err)
	if err != nil {
		s.failed(err)
	}
	for i, k := range asked {
		if err == nil || v.whole(i) {
			if e, _ := s.judge(ctx, v, i); e != nil {
				found[k] = e
				continue
			}
		}
		delete(found, k)
	}
	return found, cmp.Or(err, failed)
}

// judge says what the i-th value of a view is: an entry, or a miss of which kind.
func (s *Store[K, V]) judge(ctx context.Context, v *view, i int) (*cache.Entry[V], error) {
	e, miss, err := s.entry(ctx, v, i)
	switch {
	case err != nil:
		s.failed(err)
	case e != nil:
		s.observe(cache.Hit, nil)
	default:
		s.observe(miss, nil)
	}
	return e, err
}

// entry returns the i-th value of a view if it is valid, else why it is none. It
// remembers what the next reader and the next fill of the key can use.
func (s *Store[K, V]) entry(ctx context.Context, v *view, i int) (*cache.Entry[V], cache.Kind, error) {
	key, raw := v.keys[i], v.raws[i]
	if raw == "" {
		return nil, cache.Miss, nil
	}
	if isToken(raw) || raw[0] == kindQuarantine && len(raw) > headerSize {
		return nil, cache.MissWriter, nil
	}
	var known *hint
	if len(v.hints) > 0 { // else the value came with a token
		known = v.hints[i]
	} else {
		known = s.hints.get(key)
	}
	env, err := v.at(i)
	if err == errUnknown { // its nonce can be relied on
		s.hints.put(key, known.tags, strings.Clone(raw[:headerSize]))
		return nil, cache.MissSchema, nil
	}
	if err != nil || env.key != key {
		s.hints.put(key, nil, "!"+raw[:min(len(raw), headerSize)]) // a copy
		return nil, cache.MissCorrupt, nil
	}
	tags := known.tags
	if !sameTags(env.stamps, tags) {
		tags = make([]string, len(env.stamps))
		for i, st := range env.stamps {
			tags[i] = unique.Make(st.tag).Value() // a copy, that all entries share
		}
	}
	if v.tags(tags) {
		if err := v.read(ctx); err != nil {
			return nil, 0, err
		}
	}
	reject := func(why cache.Kind) (*cache.Entry[V], cache.Kind, error) {
		s.hints.put(key, tags, strings.Clone(env.header))
		return nil, why, nil
	}
	if !v.valid(key, env) {
		return reject(cache.MissTag)
	}
	if s.space.held(key, tags) {
		return nil, cache.MissWriter, nil
	}
	ahead, err := s.space.ahead(ctx, s.space.lane(key))
	if err != nil {
		return nil, 0, err
	}
	now := cache.Now()
	fresh, expires, loaded := env.moments(now, ahead)
	if expires <= now {
		return reject(cache.MissExpired)
	}
	e := &cache.Entry[V]{Tags: tags, Fresh: fresh, Expires: expires, Cost: env.cost, Absent: env.absent}
	e.SetLoaded(loaded)
	if len(v.watches) > 0 {
		e.Guard = guardOf(&v.watches[i], tags)
	}
	if !env.absent {
		var kind cache.Kind
		if e.Value, kind = s.payloads.get(ctx, env); kind != cache.Hit {
			return reject(kind)
		}
	}
	s.hints.hit(known, key, tags, len(raw), env.cost)
	return e, 0, nil
}

func sameTags(stamps []stamp, tags []string) bool {
	return slices.EqualFunc(stamps, tags, func(s stamp, t string) bool { return s.tag == t })
}
