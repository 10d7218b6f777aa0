package throughput

import (
	"context"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// value is what the caches hold.
type value struct {
	ID   uint32
	Body string
}

// subject is something whose operations are counted.
type subject struct {
	name  string // in metrics
	title string
	// open returns an operation for one worker; what it returns keeps it from being
	// optimised away.
	open func(c Config) (worker func() func(key uint32) uint32, close func())
}

var subjects = []subject{
	{"generator", "the load generator alone", func(Config) (func() func(uint32) uint32, func()) {
		return func() func(uint32) uint32 { return func(key uint32) uint32 { return key } }, func() {}
	}},
	{"timed", "the same, each operation timed", func(Config) (func() func(uint32) uint32, func()) {
		return func() func(uint32) uint32 {
			r := latency.NewRecorder()
			return func(key uint32) uint32 {
				start := time.Now()
				r.Record(time.Since(start))
				return key
			}
		}, func() {}
	}},
	{"memory", "memstore: hits", openMemory},
	{"loader", "aside.Loader on memstore: hits", openLoader},
	{"golang-lru", "golang-lru for comparison: hits, without TTL or tags", openLRU},
}

func newMemory(c Config) *memstore.Store[int64, value] {
	// Room to spare: shards do not fill evenly.
	return memstore.New[int64, value](invalidation.NewDomain(), 2*c.Keys+1024, nil)
}

func openMemory(c Config) (func() func(uint32) uint32, func()) {
	ctx, m := context.Background(), newMemory(c)
	for id := range uint32(c.Keys) {
		cache.Put(ctx, m, int64(id), &cache.Entry[value]{Value: value{ID: id}, Fresh: cache.Forever, Expires: cache.Forever}) // memory never fails
	}
	return func() func(uint32) uint32 {
		return func(key uint32) uint32 {
			if e, _ := m.Get(ctx, int64(key)); e != nil {
				return e.Value.ID
			}
			return missed
		}
	}, func() {}
}

// missed is what an operation returns that should have been a hit.
const missed = ^uint32(0)

func openLoader(c Config) (func() func(uint32) uint32, func()) {
	ctx := context.Background()
	load := func(_ context.Context, id int64) (value, error) { return value{ID: uint32(id)}, nil }
	values := aside.New(newMemory(c), load, invalidation.TTL(time.Hour), nil)
	for id := range uint32(c.Keys) {
		values.Get(ctx, int64(id)) // the load function never fails
	}
	return func() func(uint32) uint32 {
		return func(key uint32) uint32 {
			v, err := values.Get(ctx, int64(key))
			if err != nil {
				return missed
			}
			return v.ID
		}
	}, func() { values.Close(ctx) }
}

func openLRU(c Config) (func() func(uint32) uint32, func()) {
	m, err := lru.New[int64, value](c.Keys)
	if err != nil {
		panic(err) // Config.Check sees to it that there are keys
	}
	for id := range uint32(c.Keys) {
		m.Add(int64(id), value{ID: id})
	}
	return func() func(uint32) uint32 {
		return func(key uint32) uint32 {
			if v, ok := m.Get(int64(key)); ok {
				return v.ID
			}
			return missed
		}
	}, func() {}
}
