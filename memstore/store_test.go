package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var ctx = context.Background()

func entry[V any](v V, tags ...string) *cache.Entry[V] {
	now := cache.Now()
	return &cache.Entry[V]{Value: v, Tags: tags, Fresh: now.Add(time.Minute), Expires: now.Add(time.Hour)}
}

func fill[K comparable, V any](t testing.TB, s *memstore.Store[K, V], k K, e *cache.Entry[V]) {
	t.Helper()
	f, err := s.Reserve(ctx, cache.Slot[K]{Key: k})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := f.Commit(ctx, e); err != nil || out[0] != cache.Stored {
		t.Fatalf("Commit is %v, %v", out, err)
	}
}

func has[K comparable, V any](t testing.TB, s *memstore.Store[K, V], k K) bool {
	t.Helper()
	e, err := s.Get(ctx, k)
	if err != nil {
		t.Fatal(err)
	}
	return e != nil
}

func TestCapacityIsWhatWasAsked(t *testing.T) {
	for _, capacity := range []int{1, 2, 7, 1023, 1024, 1025, 5000, 10_000, 12_345} {
		for _, e := range policies {
			s := memstore.New(nil, capacity, &memstore.Options[int, int]{Eviction: e})
			for i := range 5 * capacity {
				fill(t, s, i, entry(i))
			}
			if n := s.Len(); n != capacity || !has(t, s, 5*capacity-1) {
				t.Errorf("%v: a store of %d holds %d, or not what was stored last", e, capacity, n)
			}
		}
	}
	defer func() {
		if p := fmt.Sprint(recover()); !strings.Contains(p, "capacity") {
			t.Errorf("the panic %q does not name the capacity", p)
		}
	}()
	memstore.New[int, int](nil, 0, nil)
}

// clockModel does what the documentation says, with a search where the store has an index.
type clockModel struct {
	keys []int // by slot; -1 in a hole
	used []bool
	free []int
	hand int
	size int // the capacity
}

func (m *clockModel) remove(k int) {
	if slot := slices.Index(m.keys, k); slot >= 0 {
		m.keys[slot] = -1
		m.free = append(m.free, slot)
	}
}

func (m *clockModel) fill(k int) {
	if slot := slices.Index(m.keys, k); slot >= 0 {
		m.used[slot] = true
		return
	}
	switch {
	case len(m.free) > 0:
		slot := m.free[len(m.free)-1]
		m.free = m.free[:len(m.free)-1]
		m.keys[slot], m.used[slot] = k, true
	case len(m.keys) < m.size:
		m.keys, m.used = append(m.keys, k), append(m.used, false)
	default:
		for ; m.used[m.hand]; m.hand = (m.hand + 1) % m.size {
			m.used[m.hand] = false
		}
		m.keys[m.hand] = k
		m.hand = (m.hand + 1) % m.size
	}
}

func TestWhatWasUsedHasASecondChance(t *testing.T) {
	for _, capacity := range []int{1, 50, 1024} {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 1))
		s := memstore.New[int, int](nil, capacity, nil)
		model := &clockModel{size: capacity}
		for i := range 20_000 {
			switch k := r.IntN(2*capacity + 2); r.IntN(10) {
			case 0:
				s.Invalidate(ctx, k)
				model.remove(k)
			case 1, 2, 3:
				fill(t, s, k, entry(i))
				model.fill(k)
			default:
				slot := slices.Index(model.keys, k)
				if got := has(t, s, k); got != (slot >= 0) {
					t.Fatalf("capacity %d, seed %d, step %d: key %d is there: %v, in the model: %v", capacity, seed, i, k, got, !got)
				}
				if slot >= 0 {
					model.used[slot] = true
				}
			}
		}
	}
}

func TestEntriesExpireToTheMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, ttl := range []time.Duration{time.Millisecond, 500 * time.Millisecond, time.Hour} {
			var n cache.Counter
			var why []memstore.Reason
			s := memstore.New(nil, 10, &memstore.Options[int, int]{Observer: &n,
				OnEvict: func(_ int, _ *cache.Entry[int], r memstore.Reason) { why = append(why, r) }})
			now := cache.Now()
			fill(t, s, 1, &cache.Entry[int]{Fresh: now, Expires: now.Add(ttl)})
			time.Sleep(ttl - time.Microsecond)
			if !has(t, s, 1) {
				t.Errorf("TTL %v: gone too early", ttl)
			}
			time.Sleep(time.Microsecond)
			if has(t, s, 1) || n.Count(cache.MissExpired) != 1 || len(why) != 1 || why[0] != memstore.Expired {
				t.Errorf("TTL %v: still there, or not counted: %v", ttl, why)
			}
		}
	})
}

func TestExpiredAndUntimedEntriesAreRefused(t *testing.T) {
	s := memstore.New[int, int](nil, 10, nil)
	for _, e := range []*cache.Entry[int]{{}, {Expires: cache.Now() - 1}} {
		f, _ := s.Reserve(ctx, cache.Slot[int]{Key: 1})
		if out, err := f.Commit(ctx, e); err != nil || out[0] != cache.Refused || has(t, s, 1) {
			t.Errorf("%+v: %v, %v", e, out, err)
		}
	}
}

func TestDeadEntriesMakeRoomBeforeTheyAreCountedAsEvicted(t *testing.T) {
	var why []memstore.Reason
	s := memstore.New(nil, 1, &memstore.Options[int, int]{OnEvict: func(_ int, _ *cache.Entry[int], r memstore.Reason) { why = append(why, r) }})
	fill(t, s, 1, entry(1, "a"))
	s.Domain().Expire("a")
	fill(t, s, 2, entry(2))
	fill(t, s, 2, entry(3))
	fill(t, s, 3, entry(3))
	s.Invalidate(ctx, 3)
	if want := "[invalidated replaced full invalidated]"; fmt.Sprint(why) != want {
		t.Errorf("they left as %v, not %s", why, want)
	}
}

func TestInvalidatingATagTouchesNoEntry(t *testing.T) {
	left := 0
	s := memstore.New(nil, 10_000, &memstore.Options[int, int]{OnEvict: func(int, *cache.Entry[int], memstore.Reason) { left++ }})
	for k := range 1000 {
		fill(t, s, k, entry(k, "tag"))
	}
	if err := s.Domain().InvalidateTags(ctx, "tag"); err != nil || left != 0 || s.Len() != 1000 {
		t.Errorf("%v: %d entries left, %d remain: it has gone through its members", err, left, s.Len())
	}
	if has(t, s, 1) || has(t, s, 1) || left != 1 || s.Len() != 999 {
		t.Errorf("an entry that is met goes, once: %d have gone, %d remain", left, s.Len())
	}
}

func TestMissesSayWhy(t *testing.T) {
	var n cache.Counter
	s := memstore.New(nil, 10, &memstore.Options[int, int]{Observer: &n})
	fill(t, s, 1, entry(1, "tag"))
	s.Domain().Expire("tag")
	q, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 2})
	for k := range 4 {
		s.Get(ctx, k)
	}
	q.Cancel(ctx)
	s.Get(ctx, 2)
	for kind, want := range map[cache.Kind]int64{cache.MissTag: 1, cache.MissWriter: 1, cache.Miss: 3, cache.Hit: 0} {
		if got := n.Count(kind); got != want {
			t.Errorf("%v: %d times, not %d", kind, got, want)
		}
	}
}

func TestCallbacksRunWithoutALock(t *testing.T) {
	var s *memstore.Store[int, int]
	calls := 0
	s = memstore.New(nil, 2, &memstore.Options[int, int]{OnEvict: func(k int, _ *cache.Entry[int], _ memstore.Reason) {
		calls++
		s.Get(ctx, k)
		s.Len()
		if calls < 10 {
			s.Invalidate(ctx, 1, 2, 3, 4)
		}
	}})
	for k := range 6 {
		fill(t, s, k, entry(k))
	}
	f, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 5})
	f.Commit(ctx, entry(1))
	s.Close()
	if calls < 4 {
		t.Errorf("%d calls", calls)
	}
}

func TestAllYieldsWhatIsValidAndToleratesChanges(t *testing.T) {
	s := memstore.New[int, int](nil, 20_000, nil) // no shard gets full
	for k := range 3000 {
		tag := "keep"
		if k%3 == 0 {
			tag = "drop"
		}
		fill(t, s, k, entry(k, tag))
	}
	s.Domain().Expire("drop")
	seen := map[int]bool{}
	for k, e := range s.All() {
		if k >= 10_000 {
			continue // added meanwhile
		}
		if k%3 == 0 || e.Value != k || seen[k] {
			t.Fatalf("it yields %d: %+v", k, e)
		}
		seen[k] = true
		s.Invalidate(ctx, k)
		fill(t, s, k+10_000, entry(k, "drop"))
	}
	if len(seen) < 2000 {
		t.Errorf("it yields %d of 2000", len(seen))
	}
	for range s.All() {
		break
	}
}

func TestAClosedStoreSaysSo(t *testing.T) {
	s := memstore.New[int, int](nil, 10, nil)
	fill(t, s, 1, entry(1))
	f, _ := s.Reserve(ctx, cache.Slot[int]{Key: 2})
	q, _ := s.Quarantine(ctx, cache.Slot[int]{Key: 3})
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	errs := map[string]error{}
	_, errs["Get"] = s.Get(ctx, 1)
	_, errs["GetMany"] = s.GetMany(ctx, []int{1})
	_, errs["Reserve"] = s.Reserve(ctx, cache.Slot[int]{Key: 1})
	_, errs["Quarantine"] = s.Quarantine(ctx, cache.Slot[int]{Key: 1})
	errs["Invalidate"] = s.Invalidate(ctx, 1)
	_, errs["Commit"] = f.Commit(ctx, entry(1))
	_, errs["release"] = q.Commit(ctx, entry(1))
	for verb, err := range errs {
		if !errors.Is(err, cache.ErrClosed) {
			t.Errorf("%s: %v", verb, err)
		}
	}
	for k := range s.All() {
		t.Errorf("it still has %d", k)
	}
}

func TestAHitAllocatesNothing(t *testing.T) {
	s := memstore.New[string, [10]int](nil, 100, nil)
	fill(t, s, "k", entry([10]int{}, "tag"))
	if n := testing.AllocsPerRun(1000, func() { s.Get(ctx, "k") }); n != 0 {
		t.Errorf("a hit allocates %v times", n)
	}
}

func TestItSaysThatItIsInMemory(t *testing.T) {
	s := memstore.New[string, string](nil, 10, nil)
	fill, err := s.Reserve(t.Context(), cache.Slot[string]{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	fill.Commit(t.Context(), &cache.Entry[string]{Value: "v", Expires: cache.Forever})
	if e, level, err := cache.Find(t.Context(), s, "k"); e == nil || level != cache.Memory || err != nil || s.Level() != cache.Memory {
		t.Errorf("Find is %+v, %v, %v", e, level, err)
	}
}
