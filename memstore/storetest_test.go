package memstore_test

import (
	"context"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/memstore"
)

var capacities = map[string]int{"OneShard": 1000, "Sharded": 100_000}

var policies = []memstore.Eviction{memstore.LRU, memstore.TwoQueue, memstore.Adaptive}

func subject(capacity int) storetest.Subject { return subjectWith(capacity, memstore.LRU) }

func subjectWith(capacity int, e memstore.Eviction) storetest.Subject {
	return subjectOf(capacity, memstore.Options[string, string]{Eviction: e})
}

func subjectOf(capacity int, o memstore.Options[string, string]) storetest.Subject {
	s := memstore.New(nil, capacity, &o)
	return storetest.Subject{
		Store: s, Peer: s, InvalidateTags: s.Domain().InvalidateTags,
		Lose:  func(context.Context) error { s.Clear(); return nil },
		Close: func(context.Context) error { return s.Close() },
	}
}

func TestItKeepsTheContract(t *testing.T) {
	for name, capacity := range capacities {
		for _, e := range policies {
			t.Run(name+"/"+e.String(), func(t *testing.T) {
				storetest.Run(t, func(testing.TB) storetest.Subject { return subjectWith(capacity, e) })
			})
			t.Run(name+"/"+e.String()+"/Weight", func(t *testing.T) {
				o := memstore.Options[string, string]{Eviction: e, Weight: func(k, v string) int { return len(k) + len(v) }}
				storetest.Run(t, func(testing.TB) storetest.Subject { return subjectOf(10_000*capacity, o) })
			})
		}
	}
}

// concurrent is the rule that lets readers, fillers and writers race.
func concurrent(t *testing.T) storetest.Rule {
	for _, r := range storetest.Rules() {
		if r.Name == "concurrent" {
			return r
		}
	}
	t.Fatal("storetest has no rule called concurrent")
	return storetest.Rule{}
}

func TestNobodyReadsWhatWasLoadedBeforeAnInvalidation(t *testing.T) {
	rule := concurrent(t)
	for name, capacity := range map[string]int{"Crowded": 2, "OneShard": 1000, "Sharded": 100_000} {
		for _, e := range policies {
			t.Run(name+"/"+e.String(), func(t *testing.T) {
				for range 50 {
					if err := rule.Check(t.Context(), subjectWith(capacity, e)); err != nil {
						t.Fatal(err)
					}
				}
			})
		}
	}
}

func TestAStoreThatIgnoresRefusalsIsFoundOut(t *testing.T) {
	rule := concurrent(t)
	for name, capacity := range capacities {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				s := subject(capacity)
				s.Store = stubborn{s.Store}
				s.Peer = s.Store
				if rule.Check(t.Context(), s) != nil {
					return
				}
			}
			t.Error("50 runs have not shown a stale value")
		})
	}
}

// stubborn is a store whose fills do not take Refused for an answer.
type stubborn struct {
	cache.Cache[string, string]
}

func (s stubborn) Reserve(ctx context.Context, slots ...cache.Slot[string]) (cache.Fill[string], error) {
	f, err := s.Cache.Reserve(ctx, slots...)
	return stubbornFill{f, s.Cache, slots}, err
}

type stubbornFill struct {
	cache.Fill[string]
	store cache.Cache[string, string]
	slots []cache.Slot[string]
}

func (f stubbornFill) Commit(ctx context.Context, entries ...*cache.Entry[string]) ([]cache.Outcome, error) {
	outcomes, err := f.Fill.Commit(ctx, entries...)
	for i, o := range outcomes {
		if o != cache.Refused {
			continue
		}
		again, err := f.store.Reserve(ctx, f.slots[i])
		if err != nil {
			return nil, err
		}
		if _, err := again.Commit(ctx, entries[i]); err != nil {
			return nil, err
		}
	}
	return outcomes, err
}
