// Package memory compares stores in memory, and Loaders in front of them.
package memory

import (
	"context"
	"time"

	"github.com/Yiling-J/theine-go"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
	"github.com/maypok86/otter/v2"
	"github.com/viccon/sturdyc"
)

// store is what all of them can do. A call through it costs each the same.
type store interface {
	get(key string) ([]byte, bool)
	set(key string, value []byte)
}

const ttl = time.Hour

// library makes a store of a capacity.
type library struct {
	name string
	open func(capacity int) store
}

var libraries = []library{
	{"larder", openLarder},
	{"otter", func(n int) store { return openOtter(n, nil) }},
	{"otter-coarse", func(n int) store { return openOtter(n, otter.NewCoarseClock(10*time.Millisecond)) }},
	{"theine", openTheine},
	{"sturdyc", openSturdyc},
	{"golang-lru", openLRU},
	{"golang-lru-expirable", openExpirable},
}

// larder has no Set: an entry that may be stored is one that was reserved before it
// was read, so this is what it costs to be safe from invalidations.
type larder struct {
	s *memstore.Store[string, []byte]
}

func openLarder(n int) store { return larder{memstore.New[string, []byte](nil, n, nil)} }

func (l larder) get(key string) ([]byte, bool) {
	e, _ := l.s.Get(context.Background(), key)
	if e == nil {
		return nil, false
	}
	return e.Value, true
}

var expires = cache.Now().Add(ttl)

func (l larder) set(key string, value []byte) {
	f, err := l.s.Reserve(context.Background(), cache.Slot[string]{Key: key})
	if err == nil {
		_, err = f.Commit(context.Background(), &cache.Entry[[]byte]{Value: value, Fresh: expires, Expires: expires})
	}
	if err != nil {
		panic(err)
	}
}

type otterStore struct {
	c *otter.Cache[string, []byte]
}

func openOtter(n int, clock otter.Clock) store {
	return otterStore{otter.Must(&otter.Options[string, []byte]{
		MaximumSize: n, ExpiryCalculator: otter.ExpiryWriting[string, []byte](ttl), Clock: clock,
	})}
}

func (s otterStore) get(key string) ([]byte, bool) { return s.c.GetIfPresent(key) }
func (s otterStore) set(key string, value []byte)  { s.c.Set(key, value) }

type theineStore struct {
	c *theine.Cache[string, []byte]
}

func openTheine(n int) store {
	c, err := theine.NewBuilder[string, []byte](int64(n)).Build()
	if err != nil {
		panic(err)
	}
	return theineStore{c}
}

func (s theineStore) get(key string) ([]byte, bool) { return s.c.Get(key) }
func (s theineStore) set(key string, value []byte)  { s.c.SetWithTTL(key, value, 1, ttl) }

type sturdycStore struct{ c *sturdyc.Client[[]byte] }

func openSturdyc(n int) store { return sturdycStore{sturdyc.New[[]byte](n, 64, ttl, 1)} }

func (s sturdycStore) get(key string) ([]byte, bool) { return s.c.Get(key) }
func (s sturdycStore) set(key string, value []byte)  { s.c.Set(key, value) }

type lruStore struct{ c *lru.Cache[string, []byte] }

func openLRU(n int) store {
	c, err := lru.New[string, []byte](n)
	if err != nil {
		panic(err)
	}
	return lruStore{c}
}

func (s lruStore) get(key string) ([]byte, bool) { return s.c.Get(key) }
func (s lruStore) set(key string, value []byte)  { s.c.Add(key, value) }

type expirableStore struct {
	c *expirable.LRU[string, []byte]
}

func openExpirable(n int) store {
	return expirableStore{expirable.NewLRU[string, []byte](n, nil, ttl)}
}

func (s expirableStore) get(key string) ([]byte, bool) { return s.c.Get(key) }
func (s expirableStore) set(key string, value []byte)  { s.c.Add(key, value) }
