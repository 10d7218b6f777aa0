package redisstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

// keyTextName is the name of what writes keys in errors.
const keyTextName = "StoreOptions.Key"

// keyOf returns the key of k in Redis, or "" if k cannot be cached. It is an error that k
// is invalid, or that the function which writes keys panics.
func (s *Store[K, V]) keyOf(ctx context.Context, k K) (string, error) {
	t, ok, err := s.textOf(ctx, k)
	switch {
	case err != nil || !ok:
		return "", err
	case digested(t):
		return s.digests + digest(t), nil
	}
	return s.prefix + t, nil
}

// appendKey appends the key of k, or nothing.
func (s *Store[K, V]) appendKey(ctx context.Context, b []byte, k K) ([]byte, error) {
	t, ok, err := s.textOf(ctx, k)
	switch {
	case err != nil || !ok:
		return b, err
	case digested(t):
		return append(append(b, s.digests...), digest(t)...), nil
	}
	return append(append(b, s.prefix...), t...), nil
}

// A text that is too long to be a key, or empty, has a key that is made of its SHA-256,
// under a name that no store can have. So it has all that a key has: a token, a
// quarantine, and invalidations that other processes hear of.

// digestMark is behind the name of the store of such keys.
const digestMark = "~"

// digested reports whether a text has such a key.
func digested(text string) bool { return text == "" || len(text) > maxKey }

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func (s *Store[K, V]) textOf(ctx context.Context, k K) (t string, ok bool, err error) {
	if s.check != nil {
		if err := s.check(k); err != nil {
			return "", false, err
		}
	}
	if err := contain.Call(ctx, keyTextName, func() { t, ok = s.text(k) }); err != nil {
		s.tell(cache.Event{Kind: cache.HookPanic, N: 1, Err: err})
		return "", false, err
	}
	return t, ok, nil
}

// panicked observes that a function of the user's has panicked of which no caller is told.
func (s *Store[K, V]) panicked(err error) {
	s.meter.Panicked(s.observer, cache.Event{Cache: s.name, Level: cache.Shared, Err: err})
}
