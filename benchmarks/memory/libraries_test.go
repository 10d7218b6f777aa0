// Package memory compares stores in memory: reads, writes, heap, and the
// invalidation of tags.
package memory

import (
	"context"
	"time"

	"github.com/Yiling-J/theine-go"
	"github.com/dgraph-io/ristretto/v2"
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

// closer is a store that goroutines keep alive.
type closer interface{ close() }

// discard lets the memory of a store go.
func discard(s store) {
	if s, ok := s.(closer); ok {
		s.close()
	}
}

const ttl = time.Hour

// settler is a store whose writes are not all done when set returns.
type settler interface{ settle() }

// settle waits until what was set is in the store, or dropped.
func settle(s store) {
	if s, ok := s.(settler); ok {
		s.settle()
	}
}

// library makes a store of a capacity. All but golang-lru, which has none, are
// given a TTL, of which they compute the end at every set.
type library struct {
	name string
	open func(capacity int) store
}

var libraries = []library{
	{"larder", openLarder},
	{"otter", func(n int) store { return openOtter(n, nil) }},
	{"otter-coarse", func(n int) store { return openOtter(n, otter.NewCoarseClock(10*time.Millisecond)) }},
	{"theine", openTheine},
	{"ristretto", openRistretto},
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

func (l larder) set(key string, value []byte) {
	expires := cache.Now().Add(ttl)
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
func (s otterStore) settle()                       { s.c.CleanUp() }
func (s otterStore) close()                        { s.c.StopAllGoroutines() }

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

func (s theineStore) settle() { s.c.Wait() }

// A theine that is closed keeps its entries.
func (s theineStore) close() {
	var all []string
	s.c.Range(func(key string, _ []byte) bool { all = append(all, key); return true })
	for _, key := range all {
		s.c.Delete(key)
	}
	s.c.Close()
}

type ristrettoStore struct {
	c *ristretto.Cache[string, []byte]
}

func openRistretto(n int) store {
	c, err := ristretto.NewCache(&ristretto.Config[string, []byte]{
		NumCounters: 10 * int64(n), MaxCost: int64(n), BufferItems: 64, IgnoreInternalCost: true,
	})
	if err != nil {
		panic(err)
	}
	return ristrettoStore{c}
}

func (s ristrettoStore) get(key string) ([]byte, bool) { return s.c.Get(key) }
func (s ristrettoStore) set(key string, value []byte)  { s.c.SetWithTTL(key, value, 1, ttl) }
func (s ristrettoStore) settle()                       { s.c.Wait() }
func (s ristrettoStore) close()                        { s.c.Close() }

type sturdycStore struct{ c *sturdyc.Client[[]byte] }

func openSturdyc(n int) store { return sturdycStore{sturdyc.New[[]byte](n, 64, ttl, 1)} }

func (s sturdycStore) get(key string) ([]byte, bool) { return s.c.Get(key) }
func (s sturdycStore) set(key string, value []byte)  { s.c.Set(key, value) }

func (s sturdycStore) close() {
	for _, k := range s.c.ScanKeys() {
		s.c.Delete(k)
	}
}

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
func (s expirableStore) close()                        { s.c.Purge() }
