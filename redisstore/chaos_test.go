package redisstore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/redis/go-redis/v9"
)

// The chaos test lets several processes' worth of spaces read, fill and
// invalidate the same few rows while control keys vanish, and counts reads of a
// value whose load began before an invalidation that returned before the read
// began. LARDER_CHAOS sets how long it runs, LARDER_SEED repeats a choice of
// operations.

const (
	chaosRows   = 8
	chaosGroups = 4
	chaosSpaces = 4
)

// rows is the database: the value of a row is its version.
type rows [chaosRows]struct {
	version atomic.Int64
	floor   atomic.Int64 // the newest version whose invalidation has returned
}

type chaos struct {
	name string
	seed uint64
	db   rows
	// shared reads through a Loader and writes through a Writer, so that
	// callers share loads.
	shared bool
	// memory puts memory in front, in a single process: that of the others would
	// be behind, and is documented to be.
	memory bool
	// strict reads through a linearizable Loader, and checks that no read is
	// older than one that had returned before it began.
	strict bool
	// bend, if set, makes the fill wrong, to show that the test can fail.
	bend func(s cache.Cache[int, int64], load func() *cache.Entry[int64], slot cache.Slot[int])

	seen [chaosRows]atomic.Int64 // the newest version that a read has returned

	reads, hits, stored, refused, invalidated, deleted, flushed, stale, failed atomic.Int64
	first                                                                      atomic.Pointer[string]
}

func chaosTime(t testing.TB) time.Duration {
	if s := os.Getenv("LARDER_CHAOS"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("LARDER_CHAOS: %v", err)
		}
		return d
	}
	return 4 * time.Second
}

func chaosSeed(t testing.TB) uint64 {
	if s := os.Getenv("LARDER_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("LARDER_SEED: %v", err)
		}
		return n
	}
	return rand.Uint64()
}

func group(k int) string { return "group:" + strconv.Itoa(k%chaosGroups) }

func (c *chaos) load(k int) *cache.Entry[int64] {
	v := c.db[k].version.Load()
	for range rand.IntN(4) {
		runtime.Gosched()
	}
	return anEntry(v, group(k), "all")
}

// read reads a row as a cache-aside loader does.
func (c *chaos) read(ctx context.Context, s cache.Cache[int, int64], k int) {
	floor := c.db[k].floor.Load()
	c.reads.Add(1)
	check := func(how string, v int64) {
		if v < floor {
			c.stale.Add(1)
			msg := fmt.Sprintf("row %d: %s %d, but %d was invalidated before", k, how, v, floor)
			c.first.CompareAndSwap(nil, &msg)
		}
	}
	e, err := s.Get(ctx, k)
	if err != nil {
		c.failed.Add(1)
		return
	}
	if e != nil {
		c.hits.Add(1)
		check("read", e.Value)
		return
	}
	slot := cache.Slot[int]{Key: k, LateTags: true}
	if k%2 == 0 { // half of the rows have tags that are known from the key
		slot = cache.Slot[int]{Key: k, Tags: []string{group(k), "all"}}
	}
	if c.bend != nil {
		c.bend(s, func() *cache.Entry[int64] { return c.load(k) }, slot)
		return
	}
	fill, err := s.Reserve(ctx, slot)
	if err != nil {
		c.failed.Add(1)
		return
	}
	if e := fill.Found(0); e != nil {
		check("found", e.Value)
	}
	out, err := fill.Commit(ctx, c.load(k))
	switch {
	case err != nil:
		c.failed.Add(1)
	case out[0] == cache.Stored:
		c.stored.Add(1)
	default:
		c.refused.Add(1)
	}
}

// readShared returns a read through a Loader, which 4 goroutines share.
func (c *chaos) readShared(s cache.Cache[int, int64]) func(context.Context, cache.Cache[int, int64], int) {
	var counts cache.Counter
	users := aside.New(s, func(ctx context.Context, k int) (int64, error) {
		return c.load(k).Value, nil
	}, invalidation.TTL(time.Minute), &aside.Options[int, int64]{
		Observer: &counts, Linearizable: c.strict,
		KeyTags: func(int) []string { return []string{"all"} },
		Tags:    func(k int, _ int64) []string { return []string{group(k)} },
	})
	return func(ctx context.Context, _ cache.Cache[int, int64], k int) {
		floor := c.db[k].floor.Load()
		if c.strict {
			floor = max(floor, c.seen[k].Load())
		}
		before := counts.Count(cache.Load)
		v, err := users.Get(ctx, k)
		if err == nil {
			raise64(&c.seen[k], v)
		}
		c.reads.Add(1)
		if counts.Count(cache.Load) == before {
			c.hits.Add(1) // or it has joined somebody's load
		}
		switch {
		case err != nil:
			c.failed.Add(1)
		case v < floor:
			c.stale.Add(1)
			msg := fmt.Sprintf("row %d: the loader gave %d, but %d was invalidated before", k, v, floor)
			c.first.CompareAndSwap(nil, &msg)
		}
	}
}

// write changes a row, or a group of rows, and invalidates it.
func (c *chaos) write(ctx context.Context, space *Space, s cache.Cache[int, int64], r *rand.Rand) {
	k := r.IntN(chaosRows)
	var ks []int
	var err error
	var to [chaosRows]int64
	switch r.IntN(4) {
	case 0:
		for i := k % chaosGroups; i < chaosRows; i += chaosGroups {
			to[i] = c.db[i].version.Add(1)
			ks = append(ks, i)
		}
		err = space.InvalidateTags(ctx, group(k))
	case 1: // a writer: the value is installed if it was alone
		var fill cache.Fill[int64]
		if fill, err = s.Quarantine(ctx, cache.Slot[int]{Key: k, Tags: []string{group(k), "all"}}); err != nil {
			break
		}
		to[k] = c.db[k].version.Add(1)
		ks = append(ks, k)
		_, err = fill.Commit(ctx, anEntry(to[k], group(k), "all"))
	default:
		to[k] = c.db[k].version.Add(1)
		ks = append(ks, k)
		err = s.Invalidate(ctx, k)
	}
	if err != nil {
		c.failed.Add(1)
		return
	}
	c.invalidated.Add(1)
	for _, i := range ks {
		raise64(&c.db[i].floor, to[i])
	}
}

// lose deletes some keys of the space, or all of the server's.
func (c *chaos) lose(ctx context.Context, rdb redis.UniversalClient, r *rand.Rand) {
	each := func(f func(ctx context.Context, m *redis.Client) error) {
		if cc, ok := rdb.(*redis.ClusterClient); ok {
			cc.ForEachMaster(ctx, f)
			return
		}
		f(ctx, rdb.(*redis.Client))
	}
	if r.IntN(20) == 0 {
		each(func(ctx context.Context, m *redis.Client) error { return m.FlushDB(ctx).Err() })
		c.flushed.Add(1)
		return
	}
	var mu sync.Mutex
	each(func(ctx context.Context, m *redis.Client) error {
		keys, _, err := m.Scan(ctx, 0, c.name+":*", 1000).Result()
		mu.Lock()
		defer mu.Unlock()
		for _, k := range keys {
			if r.IntN(6) == 0 && m.Del(ctx, k).Err() == nil {
				c.deleted.Add(1)
			}
		}
		return err
	})
}

func (c *chaos) run(t *testing.T, rdb redis.UniversalClient, d time.Duration) {
	c.seed = chaosSeed(t)
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	var wg sync.WaitGroup
	loop := func(seed uint64, f func(ctx context.Context, r *rand.Rand)) {
		r := rand.New(rand.NewPCG(c.seed, seed))
		wg.Go(func() {
			for ctx.Err() == nil {
				f(t.Context(), r)
			}
		})
	}
	spaces := chaosSpaces
	if c.memory {
		spaces = 1
	}
	for i := range spaces {
		space, err := Open(t.Context(), rdb, c.name, &Options{Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer space.Close(context.Background())
		var s cache.Cache[int, int64] = New[int, int64](space, "rows", nil)
		if c.memory {
			s = cache.Tiered(memstore.New[int, int64](space.Domain, chaosRows-2, nil), s)
		}
		read := c.read
		if c.shared {
			read = c.readShared(s)
		}
		for j := range 4 {
			loop(uint64(i*10+j), func(ctx context.Context, r *rand.Rand) { read(ctx, s, r.IntN(chaosRows)) })
		}
		pause := time.NewTicker(2 * time.Millisecond)
		defer pause.Stop()
		loop(uint64(i*10+9), func(ctx context.Context, r *rand.Rand) {
			c.write(ctx, space, s, r)
			<-pause.C
		})
	}
	pause := time.NewTicker(5 * time.Millisecond)
	defer pause.Stop()
	loop(99, func(ctx context.Context, r *rand.Rand) {
		c.lose(ctx, rdb, r)
		<-pause.C
	})
	wg.Wait()
	t.Logf("%s: %d reads (%d hits), %d stored, %d refused, %d invalidations, %d keys deleted, %d flushes, %d failed; seed %d; stale reads: %d",
		c.name, c.reads.Load(), c.hits.Load(), c.stored.Load(), c.refused.Load(), c.invalidated.Load(), c.deleted.Load(), c.flushed.Load(), c.failed.Load(), c.seed, c.stale.Load())
}

// blindFill stores whatever it is given, whether or not the token is there.
var blindFill = newScript(`
for i, k in ipairs(KEYS) do
  redis.call('SET', k, 'V' .. ARGV[1] .. ARGV[1] .. ARGV[i * 3], 'PX', 60000)
end
return 1`)

// bends are mistakes that the chaos test must find.
func bends() map[string]func(s cache.Cache[int, int64], load func() *cache.Entry[int64], slot cache.Slot[int]) {
	ctx := context.Background()
	return map[string]func(cache.Cache[int, int64], func() *cache.Entry[int64], cache.Slot[int]){
		"the fill is unconditional": func(s cache.Cache[int, int64], load func() *cache.Entry[int64], slot cache.Slot[int]) {
			st := s.(*Store[int, int64])
			fill, err := s.Reserve(ctx, slot)
			if err != nil {
				return
			}
			f := fill.(*fillOfRows)
			e := load()
			if f.late(ctx, []*cache.Entry[int64]{e}) != nil {
				return
			}
			star, stamps, _, _ := f.tags.stamps(f.slots[0].key, e.Tags)
			body, px, err := st.encode(ctx, f.slots[0].key, 0, e, star, stamps)
			if err != nil || len(star) != 16 {
				return
			}
			st.space.run(ctx, blindFill.call(ctx, f.keys, random(8), "", body, px))
		},
		"versions are read after the load": func(s cache.Cache[int, int64], load func() *cache.Entry[int64], slot cache.Slot[int]) {
			e := load()
			fill, err := s.Reserve(ctx, slot)
			if err != nil {
				return
			}
			fill.Commit(ctx, e)
		},
	}
}

func raise64(n *atomic.Int64, to int64) {
	for old := n.Load(); to > old && !n.CompareAndSwap(old, to); old = n.Load() {
	}
}

type fillOfRows = fill[int, int64]

func testChaos(t *testing.T, rdb redis.UniversalClient) {
	for name, c := range map[string]*chaos{
		"NobodyReadsWhatWasInvalidated":      {},
		"NobodyIsHandedWhatWasInvalidated":   {shared: true},
		"MemoryDoesNotKeepWhatIsInvalidated": {memory: true},
		"LinearizableReadsNeverGoBack":       {shared: true, strict: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.name = "chaos-" + name // what another has left is of another origin
			c.run(t, rdb, chaosTime(t))
			if c.stale.Load() > 0 {
				t.Fatalf("%d stale reads; the first: %s", c.stale.Load(), *c.first.Load())
			}
			for what, n := range map[string]int64{"hit": c.hits.Load(), "invalidation": c.invalidated.Load(), "deleted key": c.deleted.Load()} {
				if n == 0 {
					t.Errorf("no %s: the test proves nothing", what)
				}
			}
			if !c.shared && c.refused.Load() == 0 {
				t.Error("no refused fill: the test proves nothing")
			}
		})
	}
	for what, bend := range bends() {
		t.Run("Finds/"+what, func(t *testing.T) {
			c := &chaos{name: "bent", bend: bend}
			for range 5 {
				if c.run(t, rdb, 2*time.Second); c.stale.Load() > 0 {
					return
				}
			}
			t.Fatalf("%s, and the test has not noticed", what)
		})
	}
}

func TestChaosOnOneServer(t *testing.T) {
	s := redistest.Private(t)
	rdb := redis.NewClient(&redis.Options{Addr: s.Addr()})
	t.Cleanup(func() { rdb.Close() })
	testChaos(t, rdb)
}

// The cluster speaks TLS.
func TestChaosOnACluster(t *testing.T) {
	a := redistest.Authority(t)
	cluster := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: a})
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs(), TLSConfig: a.ClientTLS()})
	t.Cleanup(func() { rdb.Close() })
	testChaos(t, rdb)
}
