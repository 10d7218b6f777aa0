package main

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/codec/cbor"
	"github.com/larder-cache/larder/codec/compress"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

type options = redisstore.StoreOptions[int, []user]

// process is one of a fleet, with its own memory of what it loads.
type process struct {
	users *aside.Loader[int, []user]
	loads atomic.Int64
	n     cache.Counter
}

func start(t *testing.T, rdb redis.UniversalClient, o options) *process {
	p := &process{}
	o.Observer = &p.n
	store := redisstore.New(open(t, rdb, "shop"), "users", &o)
	p.users = aside.New(store, func(_ context.Context, k int) ([]user, error) {
		p.loads.Add(1)
		return people(k), nil
	}, invalidation.TTL(time.Hour), nil)
	return p
}

// get reads k, and waits until what was loaded is stored: Get itself does not.
func (p *process) get(t *testing.T, k int) {
	t.Helper()
	got, err := p.users.Get(t.Context(), k)
	if err != nil || !reflect.DeepEqual(got, people(k)) {
		t.Fatalf("Get(%d) is %d users, %v", k, len(got), err)
	}
	for deadline := time.Now().Add(30 * time.Second); p.n.Count(cache.FillStored) < p.loads.Load(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("of %d loads, %d were stored", p.loads.Load(), p.n.Count(cache.FillStored))
		}
	}
}

// asDocumented are the steps of docs/codecs.md, from the default to CBOR and
// Zstandard, to S2, and all the way back.
func asDocumented() []options {
	json, compact := cache.JSON[[]user](), cbor.New[[]user]()
	both := options{Codec: json, Reads: []cache.Codec[[]user]{compact}, Compressor: compress.ReadOnly()}
	compactFirst := func(c cache.Compressor) options {
		return options{Codec: compact, Reads: []cache.Codec[[]user]{json}, Compressor: c}
	}
	return []options{
		{}, both, compactFirst(compress.Zstd(0)), compactFirst(compress.S2(0)), {Codec: compact, Compressor: compress.S2(0)},
		compactFirst(compress.S2(0)), compactFirst(compress.ReadOnly()), both, {},
	}
}

func TestAFleetChangesItsCodecWithoutAMiss(t *testing.T) {
	steps := asDocumented()
	for i := 1; i < len(steps); i++ {
		_, rdb := client(t)
		before, after := start(t, rdb, steps[i-1]), start(t, rdb, steps[i])
		for k := range 10 {
			before.get(t, 2*k)
			after.get(t, 2*k+1)
		}
		loads := before.loads.Load() + after.loads.Load()
		for k := range 20 {
			before.get(t, k)
			after.get(t, k)
		}
		if more := before.loads.Load() + after.loads.Load() - loads; more != 0 || loads != 20 {
			t.Errorf("step %d costs %d loads (%d first ones); misses by schema: %d and %d", i, more, loads, before.n.Count(cache.MissSchema), after.n.Count(cache.MissSchema))
		}
	}
}

func TestAFleetThatSkipsAStepLoadsAgainAndReadsNothingWrong(t *testing.T) {
	steps := asDocumented()
	for _, pair := range [][2]int{{0, 2}, {2, 0}, {0, 4}, {4, 0}} {
		_, rdb := client(t)
		one, other := start(t, rdb, steps[pair[0]]), start(t, rdb, steps[pair[1]])
		one.get(t, 50)
		other.get(t, 51)
		other.get(t, 50)
		one.get(t, 51)
		misses := func(kind cache.Kind) int64 { return one.n.Count(kind) + other.n.Count(kind) }
		loads := one.loads.Load() + other.loads.Load()
		if n := misses(cache.MissSchema); n == 0 || n+misses(cache.Miss) != one.n.Misses()+other.n.Misses() || loads < 3 {
			t.Errorf("steps %v: %d loads, %d misses by schema, of %d and %d in all", pair, loads, n, one.n.Misses(), other.n.Misses())
		}
	}
}

// padded makes every value worth compressing.
type padded struct{ cache.Codec[string] }

const padding = 300

func (p padded) Append(dst []byte, v string) ([]byte, error) {
	return p.Codec.Append(append(dst, make([]byte, padding)...), v)
}

func (p padded) Decode(data []byte) (string, error) {
	if len(data) < padding {
		return "", fmt.Errorf("only %d bytes", len(data))
	}
	return p.Codec.Decode(data[padding:])
}

func TestTheStoreKeepsTheContractWithCBORAndZstandard(t *testing.T) {
	server, rdb := client(t)
	var spaces atomic.Int64
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		name := fmt.Sprint("rules", spaces.Add(1))
		o := &redisstore.StoreOptions[string, string]{Codec: padded{cbor.New[string]()}, Compressor: compress.Zstd(1)}
		space, other := open(t, rdb, name), open(t, rdb, name)
		return storetest.Subject{
			Store:          redisstore.New(space, "s", o),
			Peer:           redisstore.New(other, "s", o),
			InvalidateTags: space.InvalidateTags,
			Lose:           func(ctx context.Context) error { return rdb.FlushDB(ctx).Err() },
			Close:          space.Close,
		}
	})
	s := redisstore.New(open(t, rdb, "size"), "s", &redisstore.StoreOptions[string, string]{Codec: padded{cbor.New[string]()}, Compressor: compress.Zstd(1)})
	now := cache.Now()
	if _, err := cache.Put(t.Context(), s, "k", &cache.Entry[string]{Value: "v", Fresh: now.Add(time.Minute), Expires: now.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if raw, err := server.Get("size:v:s:k"); err != nil || len(raw) > padding {
		t.Errorf("a value that was to be compressed has %d bytes, %v", len(raw), err)
	}
}
