package policy

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func kind(t *testing.T, name string) Kind {
	t.Helper()
	for _, k := range Catalog() {
		if k.Name == name {
			return k
		}
	}
	t.Fatalf("no policy %q", name)
	return Kind{}
}

func TestPoliciesEqualTheirReferences(t *testing.T) {
	references := map[string]func([]uint32, int) []bool{LRU: referenceLRU, Optimum: referenceOptimum}
	r := newRand(t)
	for round := range 500 {
		ids, unique := randomTrace(r)
		capacity := 1 + r.IntN(unique+2)
		next := FindNextUse(ids, unique)
		for name, reference := range references {
			p, err := kind(t, name).New(Setup{Capacity: capacity, Next: next})
			if err != nil {
				t.Fatal(err)
			}
			if p.Name() != name {
				t.Fatalf("policy %q says it is %q", name, p.Name())
			}
			for i, want := range reference(ids, capacity) {
				if hit := p.Access(ids[i]); hit != want {
					t.Fatalf("round %d, %s of %d: request %d of %v: hit = %v, want %v",
						round, name, capacity, i, ids, hit, want)
				}
			}
		}
	}
}

func TestOptimumKeepsItsHeapSmall(t *testing.T) {
	ids := make([]uint32, 100_000)
	for i := range ids {
		ids[i] = uint32(i % 10)
	}
	p, err := newOptimum(Setup{Capacity: 20, Next: FindNextUse(ids, 10)})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		p.Access(id)
	}
	if n := cap(p.(*optimum).far); n > 256 {
		t.Errorf("heap of 10 entries grew to %d", n)
	}
	if p.Access(0) {
		t.Error("hit beyond the end of the trace")
	}
}

func TestFindNextUse(t *testing.T) {
	got := FindNextUse([]uint32{0, 1, 0, 2, 1}, 3)
	for i, want := range []uint32{2, 4, Never, Never, Never} {
		if got[i] != want {
			t.Errorf("next use of request %d = %d, want %d", i, got[i], want)
		}
	}
}

func TestReplayCountsHits(t *testing.T) {
	ids := []uint32{0, 1, 2, 0, 1, 2, 0, 1, 2}
	for name, want := range map[string]int{LRU: 0, Optimum: 4} {
		hits, err := Replay(t.Context(), kind(t, name), Setup{Capacity: 2, Next: FindNextUse(ids, 3)}, ids)
		if err != nil || hits != want {
			t.Errorf("%s: %d hits, want %d, error %v", name, hits, want, err)
		}
	}
}

func TestReplayFaults(t *testing.T) {
	ids := []uint32{0}
	lru := kind(t, LRU)
	if _, err := Replay(t.Context(), lru, Setup{}, ids); err == nil {
		t.Error("capacity 0 was accepted")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Replay(ctx, lru, Setup{Capacity: 1}, ids); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	broken := Kind{"broken", func(Setup) (Policy, error) { return nil, errors.New("no room") }}
	if _, err := Replay(t.Context(), broken, Setup{Capacity: 1}, ids); err == nil || !strings.Contains(err.Error(), "broken: no room") {
		t.Errorf("error is %v", err)
	}
}

type closing struct {
	Policy
	closed *int
	err    error
}

func (c closing) Close() error { *c.closed++; return c.err }

func TestReplayClosesThePolicy(t *testing.T) {
	closed := 0
	failure := errors.New("still open")
	k := Kind{"closing", func(s Setup) (Policy, error) {
		p, err := newLRU(s)
		return closing{p, &closed, failure}, err
	}}
	_, err := Replay(t.Context(), k, Setup{Capacity: 1}, []uint32{0, 0})
	if closed != 1 || !errors.Is(err, failure) {
		t.Errorf("closed %d times, error %v", closed, err)
	}
}

func TestCatalogEndsWithOptimum(t *testing.T) {
	all := Catalog()
	if all[len(all)-1].Name != Optimum {
		t.Errorf("last policy is %s", all[len(all)-1].Name)
	}
	all[0].Name = "changed"
	if Catalog()[0].Name == "changed" {
		t.Error("the catalog can be changed from outside")
	}
}
