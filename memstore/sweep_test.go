package memstore

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/larder-cache/larder/cache"
)

// sweptBy is for how long an entry may stay in a store after it has ended.
const sweptBy = 2 * time.Second

// putFor stores a value for a while.
func putFor[K comparable, V any](t testing.TB, s *Store[K, V], key K, v V, life time.Duration) {
	t.Helper()
	now := cache.Now()
	f, err := s.Reserve(t.Context(), cache.Slot[K]{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Commit(t.Context(), &cache.Entry[V]{Value: v, Fresh: now.Add(life / 2), Expires: now.Add(life)})
	if err != nil || got[0] != cache.Stored {
		t.Fatalf("%v, %v", got, err)
	}
}

// kinds calls f for stores of each policy, with weights and without, of one shard and
// of many.
func kinds(t *testing.T, f func(t *testing.T, capacity int, o Options[int, int])) {
	for eviction := range Adaptive + 1 {
		for _, capacity := range []int{1000, 20_000} {
			t.Run(fmt.Sprintf("%v/%d", eviction, capacity), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { f(t, capacity, Options[int, int]{Eviction: eviction}) })
			})
			t.Run(fmt.Sprintf("%v/%d/weight", eviction, capacity), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f(t, 10*capacity, Options[int, int]{Eviction: eviction, Weight: func(_, v int) int { return v }})
				})
			})
		}
	}
}

// check fails the test if what a store knows of its entries is not what it has.
func check[K comparable, V any](t *testing.T, s *Store[K, V]) {
	t.Helper()
	heavy := 0
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		count, soonest := 0, uint32(never)
		for slot, n := range sh.nodes {
			if n == nil {
				if sh.ends[slot] != never {
					t.Errorf("an empty slot ends at %d", sh.ends[slot])
				}
				continue
			}
			count++
			soonest = min(soonest, sh.ends[slot])
			if sh.ends[slot] != endOf(n.entry.Expires) || sh.peek(n.key, uint64(n.hash)<<32) != n {
				t.Errorf("%v ends at %d, not %d, or is not found", n.key, sh.ends[slot], endOf(n.entry.Expires))
			}
			if sh.budget != 0 {
				heavy += sh.weights[slot]
			}
		}
		if slots := sh.order.slots(); count != sh.count || count != len(slots) || len(sh.free) != len(sh.nodes)-count || len(sh.ends) != len(sh.nodes) {
			t.Errorf("there are %d entries, %d counted, %d in the order, %d free of %d slots, %d ends",
				count, sh.count, len(slots), len(sh.free), len(sh.nodes), len(sh.ends))
		}
		if soonest < sh.soonest {
			t.Errorf("an entry ends at %d, before %d", soonest, sh.soonest)
		}
		sh.mu.Unlock()
	}
	if s.weigh != nil && s.Weight() != heavy {
		t.Errorf("the store weighs %d, not %d", s.Weight(), heavy)
	}
}

func TestSweep_WhatHasExpiredLeavesThoughNobodyAsks(t *testing.T) {
	kinds(t, func(t *testing.T, capacity int, o Options[int, int]) {
		var mu sync.Mutex
		left := map[int]time.Time{}
		o.OnEvict = func(k int, _ *cache.Entry[int], why Reason) {
			mu.Lock()
			defer mu.Unlock()
			if _, twice := left[k]; twice || why != Expired {
				t.Errorf("%d leaves as %v, or twice", k, why)
			}
			left[k] = time.Now()
		}
		s := New(nil, capacity, &o)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		const n, forever = 700, 100
		ends := map[int]time.Time{}
		longest := time.Duration(0)
		for k := range n {
			life := time.Duration(1 + r.Int64N(int64(math.Pow10(r.IntN(5))*float64(time.Second)))).Round(time.Millisecond)
			life = max(life, time.Millisecond)
			ends[k], longest = time.Now().Add(life), max(longest, life)
			putFor(t, s, k, 1+k%5, life)
		}
		for k := range forever {
			putFor(t, s, n+k, 1, math.MaxInt64)
		}
		check(t, s)
		time.Sleep(longest / 2)
		synctest.Wait()
		check(t, s)
		for k, end := range ends {
			if now := time.Now(); s.find(k) == nil && now.Before(end) {
				t.Errorf("%d has left %v before its end", k, end.Sub(now))
			} else if s.find(k) != nil && now.Sub(end) > sweptBy {
				t.Errorf("%d is still there %v after its end", k, now.Sub(end))
			}
		}
		time.Sleep(longest/2 + sweptBy)
		synctest.Wait()
		check(t, s)
		for k, at := range left {
			if after := at.Sub(ends[k]); after < 0 || after > sweptBy {
				t.Errorf("%d leaves %v after its end", k, after)
			}
		}
		st := s.Stats()
		if len(left) != n || st.Evicted["expired"] != n || st.Entries != forever || s.Len() != forever {
			t.Errorf("%d have left, %v counted, of %d; %d are there, of %d that stay", len(left), st.Evicted, n, s.Len(), forever)
		}
		if at := s.sweeper.at.Load(); at != never {
			t.Errorf("a timer is set for %d, and nothing ends", at)
		}
	})
}

// find returns the node of a key, without a look at whether it has expired.
func (s *Store[K, V]) find(key K) *node[K, V] {
	h := s.hash(key)
	return s.shard(h).find(key, upper(h))
}

func TestSweep_AnEntryIsServedUntilItsEnd(t *testing.T) {
	kinds(t, func(t *testing.T, capacity int, o Options[int, int]) {
		s := New(nil, capacity, &o)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 1))
		ends := map[int]cache.Moment{}
		for range 3000 {
			k := r.IntN(200)
			switch r.IntN(4) {
			case 0:
				life := time.Duration(1+r.IntN(8000)) * time.Millisecond
				putFor(t, s, k, 1, life)
				ends[k] = cache.Now().Add(life)
			case 1:
				time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
			default:
				if e, err := s.Get(t.Context(), k); err != nil || (e != nil) != (cache.Now() < ends[k]) {
					t.Fatalf("%d is %v, %v at %d; it ends at %d", k, e, err, cache.Now(), ends[k])
				}
			}
		}
		check(t, s)
	})
}

func TestSweep_AShorterLifeBringsItForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New[string, int](nil, 10, nil)
		putFor(t, s, "long", 1, 24*time.Hour)
		time.Sleep(time.Second)
		putFor(t, s, "short", 1, time.Second)
		time.Sleep(time.Second + sweptBy)
		synctest.Wait()
		if s.Len() != 1 || s.find("long") == nil {
			t.Errorf("%d entries are there, not the long one alone", s.Len())
		}
		putFor(t, s, "long", 1, 3*time.Second) // replaces it
		time.Sleep(3*time.Second + sweptBy)
		synctest.Wait()
		if s.Len() != 0 || s.sweeper.at.Load() != never {
			t.Errorf("%d entries are there, and a timer is set for %d", s.Len(), s.sweeper.at.Load())
		}
		check(t, s)
	})
}

func TestSweep_NoTimerIsSetWhenNothingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New[int, int](nil, 10, nil)
		putFor(t, s, 1, 1, math.MaxInt64)
		if at := s.sweeper.at.Load(); at != never {
			t.Errorf("for entries that do not end a timer is set for %d", at)
		}
		for _, end := range []func(){s.Clear, func() { s.Close() }} {
			putFor(t, s, 2, 1, 24*time.Hour)
			if s.sweeper.at.Load() == never {
				t.Fatal("for an entry that ends no timer is set")
			}
			end()
			time.Sleep((sweepAhead + 1) * time.Second)
			synctest.Wait()
			if at := s.sweeper.at.Load(); at != never {
				t.Errorf("for a store that is empty a timer is set for %d", at)
			}
		}
	})
}

func TestSweep_MemoryIsGivenBack(t *testing.T) {
	kinds(t, func(t *testing.T, capacity int, o Options[int, int]) {
		type large = [1024]byte
		in := func() int64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		l := Options[int, large]{Eviction: o.Eviction}
		if o.Weight != nil {
			l.Weight = func(int, large) int { return 10 }
		}
		s := New(nil, capacity, &l)
		before := in()
		const n = 800
		for k := range n {
			putFor(t, s, k, large{}, time.Minute)
		}
		if grown := in() - before; grown < n*1024*9/10 { // something else may have gone meanwhile
			t.Fatalf("%d entries of a KiB take %d bytes", n, grown)
		}
		time.Sleep(time.Minute + sweptBy)
		synctest.Wait()
		if left := in() - before; left > n*1024/8 {
			t.Errorf("of %d bytes that have expired, %d are still in use", n*1024, left)
		}
		for i := range s.shards {
			if sh := &s.shards[i]; len(sh.nodes) > few || cap(sh.ends) > 2*few || len(sh.table.Load().buckets) > 2*few {
				t.Errorf("an empty shard has %d slots and %d buckets", len(sh.nodes), len(sh.table.Load().buckets))
			}
		}
		for k := range n { // and it can be used again
			putFor(t, s, k, large{}, time.Minute)
		}
		if s.Len() != n {
			t.Errorf("%d entries are there, not %d", s.Len(), n)
		}
		check(t, s)
	})
}

func TestSweep_ItsTimerKeepsNoStoreAlive(t *testing.T) {
	s := New[int, int](nil, 10, nil)
	putFor(t, s, 1, 1, 24*time.Hour)
	if s.sweeper.at.Load() == never {
		t.Fatal("no timer is set")
	}
	gone := weak.Make(s)
	s = nil
	deadline := time.Now().Add(30 * time.Second)
	for gone.Value() != nil { // the clock of the last Get holds it for some milliseconds
		if time.Now().After(deadline) {
			t.Fatal("a store that is garbage is still in memory")
		}
		runtime.GC()
	}
}

func TestSweep_GoesOnHoweverOnEvictEnds(t *testing.T) {
	for name, end := range ends {
		synctest.Test(t, func(t *testing.T) {
			told, panics := map[int]int{}, 0
			s := New(nil, 5000, &Options[int, int]{
				OnEvict: func(k int, _ *cache.Entry[int], _ Reason) {
					told[k]++
					end()
				},
				Observer: watcher(func(e cache.Event) {
					if e.Kind != cache.HookPanic {
						return
					}
					if panics++; !strings.Contains(e.Err.Error(), "Options.OnEvict") {
						t.Errorf("%s: it is called %v", name, e.Err)
					}
				}),
			})
			for k := range 100 {
				putFor(t, s, k, 1, time.Duration(1+k%3*10)*time.Second)
			}
			time.Sleep(21*time.Second + sweptBy)
			synctest.Wait()
			if len(told) != 100 || s.Len() != 0 || panics != 100 {
				t.Errorf("%s: %d of 100 were told of, %d are there, %d panics were observed", name, len(told), s.Len(), panics)
			}
			for k, n := range told {
				if n != 1 {
					t.Errorf("%s: %d was told of %d times", name, k, n)
				}
			}
		})
	}
}

func TestSweep_WaitsForOnEvictAndKeepsNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		s := New(nil, 5000, &Options[int, int]{OnEvict: func(int, *cache.Entry[int], Reason) { <-let }})
		last := &s.shards[len(s.shards)-1]
		add := func(n int, to func(*shard[int, int]) bool) {
			for k := 0; n > 0; k++ {
				if s.find(k) == nil && to(s.shard(s.hash(k))) {
					putFor(t, s, k, 1, time.Second)
					n--
				}
			}
		}
		add(1, func(sh *shard[int, int]) bool { return sh == last })
		time.Sleep(time.Second + sweptBy)
		// The sweep waits for OnEvict and has seen all other shards; nobody else waits.
		add(100, func(sh *shard[int, int]) bool { return sh != last })
		time.Sleep(time.Minute)
		close(let)
		time.Sleep(sweptBy)
		synctest.Wait()
		if s.Len() != 0 || s.Stats().Evicted["expired"] != 101 {
			t.Errorf("%d are there, and %v have left", s.Len(), s.Stats().Evicted)
		}
		check(t, s)
	})
}

// Whatever else happens to entries, each leaves once, and nothing is left in the end.
func TestSweep_BesideEverythingElse(t *testing.T) {
	kinds(t, func(t *testing.T, capacity int, o Options[int, int]) {
		var left sync.Map // *cache.Entry to true
		o.OnEvict = func(k int, e *cache.Entry[int], _ Reason) {
			if _, twice := left.LoadOrStore(e, true); twice {
				t.Errorf("%d leaves twice", k)
			}
		}
		s := New(nil, capacity/20, &o)
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		var wg sync.WaitGroup
		for g := range uint64(4) {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(seed, g))
				for range 1500 {
					k := r.IntN(capacity / 8)
					switch n := r.IntN(100); {
					case n < 60:
						f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: k})
						if err != nil {
							t.Error(err)
							return
						}
						now := cache.Now()
						f.Commit(t.Context(), &cache.Entry[int]{Value: 1 + r.IntN(20), Fresh: now, Expires: now.Add(time.Duration(r.IntN(3000)) * time.Millisecond)})
					case n < 75:
						s.Get(t.Context(), k)
					case n < 80:
						s.Invalidate(t.Context(), k)
					case n < 85:
						if q, err := s.Quarantine(t.Context(), cache.Slot[int]{Key: k}); err == nil {
							q.Commit(t.Context(), in(1))
						}
					case n == 99 && r.IntN(10) == 0:
						s.Clear()
					default:
						time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		check(t, s)
		time.Sleep(time.Hour + sweptBy)
		synctest.Wait()
		check(t, s)
		st, sum := s.Stats(), int64(0)
		for _, n := range st.Evicted {
			sum += n
		}
		if s.Len() != 0 || s.Weight() != 0 || sum != st.Counts[cache.FillStored] || st.Evicted["expired"] == 0 {
			t.Errorf("%d are there, %d were stored, and %v have left", s.Len(), st.Counts[cache.FillStored], st.Evicted)
		}
	})
}

func TestPauseAfter_GrowsWithTheStore(t *testing.T) {
	for places, want := range map[int]uint32{0: 1, 1000: 1, 1 << 20: 2, 10 << 20: 11} {
		if got := pauseAfter(places); got != want {
			t.Errorf("after a look at %d places there is a pause of %d s, not %d", places, got, want)
		}
	}
}

func TestEndOf_IsNotBeforeTheEnd(t *testing.T) {
	for m, want := range map[cache.Moment]uint32{
		0: 0, -5: 0, math.MinInt64: 0, 1: 1, 999: 1, 1000: 1, 1001: 2, 1_800_000_000_123: 1_800_000_001,
		(never - 1) * 1000: never - 1, (never-1)*1000 + 1: never, cache.Forever: never,
	} {
		if got := endOf(m); got != want {
			t.Errorf("what ends at %d ends in second %d, not %d", m, got, want)
		}
	}
}

// What a sweep costs a store of a million entries of which none, or all, have expired: see
// ns/place and ns/entry.
func BenchmarkSweep(b *testing.B) {
	const n = 1_000_000
	for name, expired := range map[string]bool{"none": false, "all": true} {
		b.Run(name, func(b *testing.B) {
			s := New[int, int](nil, n, nil)
			for b.Loop() {
				b.StopTimer()
				if s.Len() == 0 || expired {
					for k := range n {
						putFor(b, s, k, k, time.Hour)
					}
				}
				now := nowSecond()
				if expired {
					now += 7200
				}
				for i := range s.shards {
					s.shards[i].soonest = 0 // so that it is looked at
				}
				b.StartTimer()
				for i := range s.shards {
					s.sweepShard(&s.shards[i], now)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/place")
		})
	}
}
