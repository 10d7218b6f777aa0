package redisstore

import (
	"context"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// keyText is the name of what writes keys in errors.
const keyTextName = "StoreOptions.Key"

// keyOf returns the key of k in Redis, or "" if k cannot be cached. It is an error that k
// is invalid, or that the function which writes keys panics.
func (s *Store[K, V]) keyOf(ctx context.Context, k K) (string, error) {
	t, err := s.textOf(ctx, k)
	if t == "" || len(t) > maxKey {
		return "", err
	}
	return s.prefix + t, nil
}

// appendKey appends the key of k, or nothing.
func (s *Store[K, V]) appendKey(ctx context.Context, b []byte, k K) ([]byte, error) {
	t, err := s.textOf(ctx, k)
	if t != "" && len(t) <= maxKey {
		b = append(append(b, s.prefix...), t...)
	}
	return b, err
}

func (s *Store[K, V]) textOf(ctx context.Context, k K) (t string, err error) {
	if s.check != nil {
		if err := s.check(k); err != nil {
			return "", err
		}
	}
	if err := contain.Call(ctx, keyTextName, func() { t = s.text(k) }); err != nil {
		s.tell(cache.Event{Kind: cache.HookPanic, N: 1, Err: err})
		return "", err
	}
	return t, nil
}

// panicked observes that a function of the user's has panicked of which no caller is told.
func (s *Store[K, V]) panicked(err error) {
	s.meter.Panicked(s.observer, cache.Event{Cache: s.name, Level: cache.Shared, Err: err})
}
