package policy

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func kind(t *testing.T, l *Load, name string) Kind {
	t.Helper()
	all := l.Kinds()
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		t.Fatalf("no policy %q", name)
	}
	return all[i]
}

func load(t *testing.T, tr *trace.Trace, o Options) *Load {
	t.Helper()
	l, err := NewLoad(tr, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// run returns the hits of a policy by its name.
func run(t *testing.T, l *Load, name string, capacity int64) Hits {
	t.Helper()
	h, err := kind(t, l, name).Run(t.Context(), l, capacity, nil)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func reads(ids ...uint32) *trace.Trace {
	return &trace.Trace{IDs: ids, Unique: int(slices.Max(ids)) + 1}
}

func TestLRUEqualsItsReference(t *testing.T) {
	r := newRand(t)
	for round := range 1000 {
		tr := randomTrace(r, 600, 60)
		for _, o := range []Options{{}, {IgnoreTTL: true}, {Bytes: true}} {
			if o.Bytes && tr.Sizes == nil {
				continue
			}
			l := load(t, tr, o)
			capacity := 1 + r.Int64N(l.Whole+2)
			if got, want := run(t, l, LRU, capacity), referenceLRU(tr, o, capacity); got != want {
				t.Fatalf("round %d, %+v, capacity %d of %d: %+v, want %+v", round, o, capacity, l.Whole, got, want)
			}
		}
	}
}

func TestOptimumEqualsItsReferences(t *testing.T) {
	r := newRand(t)
	for round := range 200 {
		tr := randomTrace(r, 600, 60)
		tr.Ops, tr.TTLs = nil, nil
		capacity := 1 + r.IntN(tr.Unique+2)
		got := run(t, load(t, tr, Options{}), Optimum, int64(capacity)).Requests
		if slow, fast := referenceOptimum(tr.IDs, capacity), referenceMIN(tr.IDs, capacity); got != slow || got != fast {
			t.Fatalf("round %d, capacity %d of %v: %d hits, the references have %d and %d", round, capacity, tr.IDs, got, slow, fast)
		}
	}
}

// With writes and deletes, expiry and sizes, the truth is what a search through
// everything that could be done finds.
func TestNothingIsBetterThanTheOptimumOrTheBound(t *testing.T) {
	r := newRand(t)
	exact, tight, rounds := 0, 0, 0
	for round := range 1500 {
		tr := randomTrace(r, 14, 4)
		o := Options{Bytes: tr.Sizes != nil && r.IntN(2) == 0, IgnoreTTL: r.IntN(3) == 0}
		l := load(t, tr, o)
		capacity := 1 + r.Int64N(l.Whole)
		most := exhaustive(tr, o, capacity)
		kinds := l.Kinds()
		best, err := kinds[len(kinds)-1].Run(t.Context(), l, capacity, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch name := kinds[len(kinds)-1].Name; {
		case name == Optimum:
			if exact++; best != most {
				t.Fatalf("round %d: the optimum has %+v, the search %+v: %+v, capacity %d of %+v", round, best, most, o, capacity, tr)
			}
		case best.Requests < most.Requests || best.Bytes < most.Bytes:
			t.Fatalf("round %d: the bound is %+v, the search has %+v: %+v, capacity %d of %+v", round, best, most, o, capacity, tr)
		default:
			if rounds++; best == most {
				tight++
			}
		}
		for _, k := range kinds {
			if h, err := k.Run(t.Context(), l, capacity, nil); err != nil || h.Requests > best.Requests || h.Bytes > best.Bytes {
				t.Fatalf("round %d: %s has %+v, %s %+v: %v", round, k.Name, h, kinds[len(kinds)-1].Name, best, err)
			}
		}
	}
	t.Logf("%d times the optimum, %d times a bound, which was reached %d times", exact, rounds, tight)
	if exact < 300 || tight < rounds/3 {
		t.Errorf("%d optima; %d of %d bounds were reached: they are worth little", exact, tight, rounds)
	}
}

// memstore's own policies are tested where they are. Here the question is whether they
// are asked rightly: with room for everything, all policies have the same hits.
func TestWithRoomForEverythingAllPoliciesAreAlike(t *testing.T) {
	r := newRand(t)
	for round := range 300 {
		tr := randomTrace(r, 600, 60)
		o := Options{Bytes: tr.Sizes != nil}
		l := load(t, tr, o)
		capacity := 100 * l.Whole // memstore may divide it
		want := referenceLRU(tr, o, capacity)
		for _, k := range l.Kinds()[:4] {
			if got, err := k.Run(t.Context(), l, capacity, nil); err != nil || got != want {
				t.Fatalf("round %d: %s has %+v, want %+v: %v", round, k.Name, got, want, err)
			}
		}
	}
}

func TestByBytesLargeObjectsTakeMoreRoom(t *testing.T) {
	tr := reads(0, 1, 0, 1, 0, 2, 0, 1)
	tr.Sizes = []uint32{3, 2, 3, 2, 3, 4, 3, 2}
	l := load(t, tr, Options{Bytes: true})
	if l.Whole != 9 || l.ReadBytes != 22 || l.Reads != 8 {
		t.Errorf("the load has %d bytes, %d read in %d reads", l.Whole, l.ReadBytes, l.Reads)
	}
	// The last 0 and 1 are misses, as 2 took all but one byte.
	for _, name := range []string{LRU, Memstore} {
		if got := run(t, l, name, 5); got != (Hits{Requests: 3, Bytes: 8}) {
			t.Errorf("%s has %+v", name, got)
		}
	}
}

func TestEntriesExpireInTheTimeOfTheTrace(t *testing.T) {
	tr := reads(0, 0, 0, 0, 0)
	tr.Times, tr.TTLs = []uint32{0, 4, 5, 9, 4294967294}, []uint32{5, 5, 5, 5, 5}
	// The bound takes it that what is read at 5 may have been stored at 4.
	for name, want := range map[string]int64{LRU: 2, Memstore: 2, TwoQueue: 2, Adaptive: 2, Bound: 3} {
		if got := run(t, load(t, tr, Options{}), name, 10); got.Requests != want {
			t.Errorf("%s has %d hits, not %d", name, got.Requests, want)
		}
	}
	if got := run(t, load(t, tr, Options{IgnoreTTL: true}), Optimum, 10); got.Requests != 4 {
		t.Errorf("without expiry there are %d hits", got.Requests)
	}
	tr.TTLs = []uint32{0, 0, 0, 4294967295, 0}
	if got := run(t, load(t, tr, Options{}), LRU, 10); got.Requests != 4 {
		t.Errorf("what lives for ever has %d hits", got.Requests)
	}
}

func TestTheBoundIsNoHigherThanItMustBe(t *testing.T) {
	read, write := trace.Read, trace.Write
	for name, c := range map[string]struct {
		trace trace.Trace
		bytes bool
		want  Hits
	}{
		"what expires now is no hit": {trace.Trace{IDs: []uint32{0, 0}, Times: []uint32{0, 5}, TTLs: []uint32{5, 5}}, false, Hits{}},
		"a write ends the life of what was there": {trace.Trace{IDs: []uint32{0, 0, 0}, Times: []uint32{0, 1, 5}, TTLs: []uint32{100, 1, 9},
			Ops: []trace.Op{read, write, read}}, false, Hits{}},
		"what was stored first may live longest": {trace.Trace{IDs: []uint32{0, 0, 0}, Times: []uint32{0, 1, 5}, TTLs: []uint32{100, 1, 9}}, false, Hits{Requests: 2}},
		"a write has a size of its own":          {trace.Trace{IDs: []uint32{0, 0, 0}, Sizes: []uint32{1, 20, 20}, Ops: []trace.Op{read, write, read}}, true, Hits{}},
		"a span may be had in part":              {trace.Trace{IDs: []uint32{0, 1, 0, 1}, Sizes: []uint32{10, 10, 10, 10}, Unique: 2}, true, Hits{Requests: 1, Bytes: 15}},
	} {
		c.trace.Unique = max(c.trace.Unique, 1)
		if got := run(t, load(t, &c.trace, Options{Bytes: c.bytes}), Bound, 10); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestWritesStoreAndDeletesRemove(t *testing.T) {
	tr := reads(0, 0, 0, 0)
	tr.Ops = []trace.Op{trace.Write, trace.Read, trace.Delete, trace.Read}
	l := load(t, tr, Options{})
	for _, k := range l.Kinds() {
		if got := run(t, l, k.Name, 10); got.Requests != 1 || l.Reads != 2 {
			t.Errorf("%s has %d hits of %d", k.Name, got.Requests, l.Reads)
		}
	}
}

func TestLoadFaults(t *testing.T) {
	if _, err := NewLoad(reads(0), Options{Bytes: true}); err == nil || !strings.Contains(err.Error(), "no sizes") {
		t.Errorf("no sizes: %v", err)
	}
	tr := reads(0)
	tr.Ops = []trace.Op{trace.Write}
	if _, err := NewLoad(tr, Options{}); err == nil || !strings.Contains(err.Error(), "no reads") {
		t.Errorf("no reads: %v", err)
	}
}

func TestOptimumKeepsItsHeapSmall(t *testing.T) {
	ids := make([]uint32, 100_000)
	for i := range ids {
		ids[i] = uint32(i % 10)
	}
	o := newOptimum(load(t, reads(ids...), Options{}), 20)
	for i := range ids {
		o.request(uint32(i))
	}
	if n := cap(o.far); n > 256 {
		t.Errorf("heap of 10 entries grew to %d", n)
	}
}

func TestRunCountsHitsAndProgress(t *testing.T) {
	l := load(t, reads(0, 1, 2, 0, 1, 2, 0, 1, 2), Options{})
	var done atomic.Int64
	for name, want := range map[string]int64{LRU: 0, Optimum: 4} {
		h, err := kind(t, l, name).Run(t.Context(), l, 2, &done)
		if err != nil || h.Requests != want {
			t.Errorf("%s: %d hits, want %d, error %v", name, h.Requests, want, err)
		}
	}
	if done.Load() != 18 {
		t.Errorf("%d requests were done", done.Load())
	}
}

func TestRunFaults(t *testing.T) {
	l := load(t, reads(0), Options{})
	lru := kind(t, l, LRU)
	if _, err := lru.Run(t.Context(), l, 0, nil); err == nil {
		t.Error("capacity 0 was accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sized := reads(0, 0)
	sized.Sizes = []uint32{1, 1}
	bytes := load(t, sized, Options{Bytes: true})
	for _, k := range append(l.Kinds(), kind(t, bytes, Bound)) {
		if _, err := k.Run(ctx, bytes, 1, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error is %v, want %v", k.Name, err, context.Canceled)
		}
	}
}

type closing struct {
	Policy
	closed *int
	err    error
}

func (c closing) Close() error { *c.closed++; return c.err }

func TestRunClosesThePolicy(t *testing.T) {
	closed := 0
	failure := errors.New("still open")
	k := of("closing", func(s Setup) Policy { return closing{newLRU(s), &closed, failure} })
	_, err := k.Run(t.Context(), load(t, reads(0, 0), Options{}), 1, nil)
	if closed != 1 || !errors.Is(err, failure) || !strings.Contains(err.Error(), "closing: ") {
		t.Errorf("closed %d times, error %v", closed, err)
	}
}

func TestKindsEndWithWhatIsBest(t *testing.T) {
	l := load(t, reads(0), Options{})
	all := l.Kinds()
	if all[len(all)-1].Name != Optimum {
		t.Errorf("last policy is %s", all[len(all)-1].Name)
	}
	all[0].Name = "changed"
	if l.Kinds()[0].Name == "changed" {
		t.Error("the catalog can be changed from outside")
	}
}
