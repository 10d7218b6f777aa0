package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/meter"
	"github.com/larder-cache/larder/internal/validkey"
)

const (
	maxKey   = 4 << 10 // bytes of a text that is written as it is
	maxValue = 8 << 20 // bytes
)

// StoreOptions change what a Store does. The zero StoreOptions are the
// defaults.
type StoreOptions[K comparable, V any] struct {
	// Key writes a key as text. Different keys must give different texts, and equal
	// keys equal ones.
	//
	// The default writes strings, integers, booleans, and structs and arrays of
	// these. The text of a type with MarshalText is what that writes, but only if
	// UnmarshalText reads it as the same key; otherwise the key is written like any
	// other of its kind. New refuses a type in which something cannot be written or
	// has no text for each value: floats, pointers (a time.Time has one), interfaces,
	// and unexported fields of types without MarshalText.
	//
	// A text that is empty, or has more than 4096 bytes, is replaced by its SHA-256. A
	// key for which Key returns "" is not cached, and observed as cache.MissKey.
	Key func(K) string
	// Codec writes and reads values. The default is cache.DefaultCodec.
	Codec cache.Codec[V]
	// AcceptLosses names the fields of V that values may lose on their way through
	// Redis, since Codec does not write them or reads them as something else: those
	// with the tag json:"-", unexported ones, interfaces, and others. New refuses a V
	// with such fields unless they are all named here, as its message names them.
	// "*" accepts all of them, also those that V will have one day.
	AcceptLosses []string
	// Reads are codecs with other ids whose values are read too, so that a fleet
	// of processes can change Codec while there is data: first every process has
	// the new codec here, then it becomes Codec and the old one goes here. What
	// none of them reads is a miss, cache.MissSchema.
	Reads []cache.Codec[V]
	// Compressor compresses values, and reads what is compressed. Without it,
	// what is compressed is a miss, cache.MissSchema.
	Compressor cache.Compressor
	// MaxValue is the largest encoded value that is stored, before compression,
	// and the largest that is decompressed, in bytes. The default is 8 MiB.
	MaxValue int
	// Observer is told of everything the store does. The default is that of
	// the space.
	Observer cache.Observer
}

// Store is a cache.Cache in Redis. Its methods may be called at once from many
// goroutines.
type Store[K comparable, V any] struct {
	space    *Space
	name     string
	prefix   string
	digests  string // the prefix of keys whose text is no key
	text     func(K) (text string, ok bool)
	check    func(K) error // nil if every key is valid
	payloads *payloads[V]
	observer cache.Observer
	meter    meter.Meter
	hints    *hints
	shared   shared[V]
	longest  atomic.Int64 // load of late, in nanoseconds
	lives    atomic.Int64 // the longest life of an entry, in milliseconds
}

// New returns the store of the given name in a space. Two stores of one name
// are one store, so they must have the same types. It panics if the name has
// other characters than letters, digits, '_', '-' and '.', if there is no
// default text for K and StoreOptions.Key is not set, if V has fields that its Codec
// loses and StoreOptions.AcceptLosses does not name, or if an option makes no sense.
func New[K comparable, V any](space *Space, name string, o *StoreOptions[K, V]) *Store[K, V] {
	if space == nil {
		panic("larder: redisstore.New: space is nil")
	}
	if err := validName(name); err != nil {
		panic(fmt.Sprintf("larder: redisstore.New: name %q %v", name, err))
	}
	if o == nil {
		o = &StoreOptions[K, V]{}
	}
	s := &Store[K, V]{
		space: space, name: name, prefix: space.ns + ":v:" + name + ":", digests: space.ns + ":v:" + name + digestMark + ":",
		check: validkey.Check[K](), observer: o.Observer, hints: newHints(),
	}
	if o.Key != nil {
		s.text = func(k K) (string, bool) { t := o.Key(k); return t, t != "" }
	} else {
		var err error
		if s.text, err = keyText[K](); err != nil {
			panic(fmt.Sprintf("larder: redisstore.New: %v", err))
		}
	}
	s.payloads = newPayloads(o, s.panicked)
	s.shared.patience = space.pace.bound() / 2
	if s.observer == nil {
		s.observer = space.observer
	}
	return s
}

// Level returns cache.Shared.
func (s *Store[K, V]) Level() cache.Level { return cache.Shared }

// Invalidate removes keys and refuses their open fills, and lets all processes
// know, whose memory drops them at once or, if they cannot hear of it, at the end
// of their lease. It costs one round trip; in a cluster two. An error means that
// Redis may still have the old values, and serve them to other processes; this one
// reads around them until the invalidation, which is repeated in the background,
// has succeeded. If only some keys are invalid, or have no text because Options.Key
// panics, the others are invalidated all the same.
func (s *Store[K, V]) Invalidate(ctx context.Context, keys ...K) error {
	var texts []string
	var failed error // of keys that have no text because of it
	for _, k := range keys {
		t, err := s.keyOf(ctx, k)
		if t != "" {
			texts = append(texts, t)
		}
		failed = cmp.Or(failed, err)
	}
	if s.space.closed.Load() {
		return errClosed
	}
	if len(texts) == 0 {
		return failed
	}
	began := time.Now()
	err := s.space.invalidateKeys(ctx, texts)
	s.tell(cache.Event{Kind: cache.Invalidated, N: len(texts), Took: time.Since(began), Err: err})
	if err != nil {
		s.observe(cache.Unavailable, err)
		if part, ok := errors.AsType[*partError](err); ok {
			texts = part.keys
		}
		s.space.again(texts)
	}
	return cmp.Or(err, failed)
}

// again has keys invalidated until it succeeds. This process does not read them
// meanwhile.
func (s *Space) again(keys []string) {
	s.control.RetryKeys(keys...)
	s.control.ExpireKeys(hashes(keys)...) // what was read before they were held
}

// slots yields keys in the largest parts that one script may touch: a few
// hundred on a single server, one in a cluster.
func (s *Space) slots(keys []string) iter.Seq[[]string] { return chunks(keys, s.lanes) }

func chunks[T any](all []T, lanes int) iter.Seq[[]T] {
	if lanes > 1 {
		return slices.Chunk(all, 1)
	}
	return slices.Chunk(all, maxKeys)
}

// held reports whether this process must not read or store the entry of a key.
func (s *Space) held(key string, tags []string) bool {
	return s.HeldKey(key) || slices.ContainsFunc(tags, s.Held)
}

// leastVersion is the least life of the version of a tag: it must be there when a load
// that was begun with it is over.
const leastVersion = 2 * fillLife

// versionLife returns for how many milliseconds the versions of tags have to live:
// twice as long as the entries of this store, which says nothing of the first of them.
func (s *Store[K, V]) versionLife() int64 {
	return max(2*s.lives.Load(), leastVersion.Milliseconds())
}

// encode returns the bytes of an entry as they are stored, and the milliseconds
// for which Redis shall keep them; 0 if it has expired. ahead is by how much the clock
// of the key's lane is ahead of ours.
func (s *Store[K, V]) encode(ctx context.Context, key string, ahead time.Duration, e *cache.Entry[V], star string, stamps []stamp) (body string, px int64, err error) {
	now := cache.Now()
	px = min(e.Expires.Sub(now), maxLife).Milliseconds()
	if px <= 0 {
		return "", 0, nil
	}
	codec := &s.payloads.codecs[0]
	env := envelope{absent: e.Absent, codec: codec.id, schema: codec.schema,
		cost: e.Cost, key: key, star: star, stamps: stamps}
	env.at(now, e.Fresh, e.Expires, e.Loaded(), ahead)
	if !e.Absent {
		release, err := s.payloads.put(ctx, &env, e.Value)
		if err != nil {
			return "", 0, err
		}
		defer release()
	}
	s.space.outlive(time.Duration(px) * time.Millisecond)
	for old := s.lives.Load(); old < px && !s.lives.CompareAndSwap(old, px); {
		old = s.lives.Load()
	}
	return textOf(env.appendBody(make([]byte, 0, len(env.payload)+len(key)+128))), px, nil
}
