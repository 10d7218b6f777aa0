package cache_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
)

// tiers returns the pair of two stores, as one process of many has it.
func tiers(l1, l2 storetest.Subject) storetest.Subject {
	both := func(a, b func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error { return errors.Join(a(ctx), b(ctx)) }
	}
	return storetest.Subject{
		Store:  cache.Tiered(l1.Store, l2.Store),
		Peer:   l2.Peer,
		Behind: true,
		InvalidateTags: func(ctx context.Context, tags ...string) error {
			return errors.Join(l2.InvalidateTags(ctx, tags...), l1.InvalidateTags(ctx, tags...))
		},
		Lose:       l2.Lose,
		Unstorable: l2.Unstorable,
		Hooks:      func(f func(string)) { l1.Hooks(f); l2.Hooks(f) },
		Close:      both(l1.Close, l2.Close),
	}
}

func TestTieredKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		return tiers(storetest.Reference(), storetest.Reference())
	})
}

func TestTieredKeepsTheContractAmongPeers(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		l1, l2 := storetest.Reference(), storetest.Reference()
		s := tiers(l1, l2)
		peer := l2
		peer.Store = l2.Peer
		s.Peer = tiers(storetest.Reference(), peer).Store
		// What the peer has in memory is behind, too, so the rules must look
		// past it.
		s.Peer = past{s.Peer, l2.Peer}
		return s
	})
}

// past is a store whose reads are those of another.
type past struct {
	store
	reads store
}

func (p past) Get(ctx context.Context, key string) (*entry, error) { return p.reads.Get(ctx, key) }

func (p past) GetMany(ctx context.Context, keys []string) (map[string]*entry, error) {
	return p.reads.GetMany(ctx, keys)
}

func TestThreeTiersKeepTheContract(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		return tiers(storetest.Reference(), tiers(storetest.Reference(), storetest.Reference()))
	})
}

func TestTieredKeepsTheContractWhenMemoryIsLost(t *testing.T) {
	storetest.Run(t, func(testing.TB) storetest.Subject {
		l1, l2 := storetest.Reference(), storetest.Reference()
		s := tiers(l1, l2)
		s.Lose = l1.Lose
		return s
	})
}

func TestTieredHitInL1DoesNotAskL2(t *testing.T) {
	l1, l2 := storetest.Reference().Store, &faulty{store: storetest.Reference().Store}
	s := cache.Tiered[string, string](l1, l2)
	load(t, l2.store, "a", an("1", "t"))
	load(t, l2.store, "b", an("2"))
	want(t, s, "a", "1")
	if got, err := s.GetMany(t.Context(), []string{"a", "b", "a"}); err != nil || len(got) != 2 {
		t.Fatalf("GetMany is %v, %v", got, err)
	}
	asked := l2.calls
	want(t, s, "a", "1")
	want(t, s, "b", "2")
	if got, err := s.GetMany(t.Context(), []string{"a", "b", "a"}); err != nil || len(got) != 2 {
		t.Fatalf("GetMany is %v, %v", got, err)
	}
	f, err := s.Reserve(t.Context(), slot{Key: "a"}, slot{Key: "b"})
	if err != nil || f.Found(0) == nil || f.Found(1) == nil {
		t.Fatalf("Reserve of what is in l1: %v", err)
	}
	if out, err := f.Commit(t.Context(), an("3"), nil); err != nil || out[0] == cache.Stored {
		t.Errorf("a commit for which l2 was not asked is %v, %v", out, err)
	}
	if err := f.Cancel(t.Context()); !errors.Is(err, cache.ErrFillDone) {
		t.Errorf("Cancel after Commit is %v", err)
	}
	if l2.calls != asked {
		t.Errorf("l2 was asked %d times for what l1 has", l2.calls-asked)
	}
	want(t, s, "a", "1")
}

func TestTieredKeepsTheTagsOfWhatItMovesUp(t *testing.T) {
	l1, l2 := storetest.Reference(), storetest.Reference()
	s := tiers(l1, l2)
	for i, up := range []func(key string){
		func(key string) { want(t, s.Store, key, "v") },
		func(key string) { s.Store.GetMany(t.Context(), []string{key}) },
		func(key string) { load(t, s.Store, key, an("v", "t", "u")) },
	} {
		key := fmt.Sprint("k", i)
		load(t, l2.Store, key, an("v", "u", "t"))
		up(key)
		if err := l1.InvalidateTags(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		want(t, l1.Store, key, "")
		want(t, s.Store, key, "v")
	}
}

func TestTieredIsBehindItsPeersUntilTheEntryExpires(t *testing.T) {
	l2 := storetest.Reference()
	s := tiers(storetest.Reference(), l2)
	load(t, s.Store, "k", an("v"))
	if err := l2.Peer.Invalidate(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	want(t, s.Store, "k", "v")
	if err := s.Store.Invalidate(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	want(t, s.Store, "k", "")
}

func TestTieredDoesNotStoreWhatPassed(t *testing.T) {
	l1, l2 := storetest.Reference(), storetest.Reference()
	s := tiers(l1, l2)
	writer, err := l2.Peer.Quarantine(t.Context(), slot{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if out := load(t, s.Store, "k", an("old")); out != cache.Passed {
		t.Errorf("the outcome is %v, want passed", out)
	}
	want(t, l1.Store, "k", "")
	if _, err := writer.Commit(t.Context(), an("new")); err != nil {
		t.Fatal(err)
	}
	want(t, s.Store, "k", "new")
}

func TestTieredMovesUpWhatReserveFound(t *testing.T) {
	l1, l2 := storetest.Reference(), storetest.Reference()
	s := tiers(l1, l2)
	load(t, l2.Store, "k", an("v", "t"))
	f, err := s.Store.Reserve(t.Context(), slot{Key: "k", Tags: []string{"t"}})
	if err != nil || f.Found(0) == nil || f.Found(0).Value != "v" {
		t.Fatalf("Reserve: %v", err)
	}
	want(t, l1.Store, "k", "")
	if err := f.Cancel(t.Context()); err != nil {
		t.Fatal(err)
	}
	want(t, l1.Store, "k", "v")
}

// A fill of l1 alone stores nothing, so that what is fresh in memory could not be
// loaded again before its time.
func TestTieredAsksL2ForARefreshOfWhatIsFreshInL1(t *testing.T) {
	l1, l2 := storetest.Reference().Store, storetest.Reference().Store
	s := cache.Tiered(l1, l2)
	load(t, s, "a", an("1"))
	f, err := s.Reserve(t.Context(), cache.Slot[string]{Key: "a", Refresh: true})
	if err != nil || f.Found(0) == nil {
		t.Fatalf("Reserve: %v", err)
	}
	if outcomes, err := f.Commit(t.Context(), an("2")); err != nil || outcomes[0] != cache.Stored {
		t.Errorf("the refresh is %v, %v", outcomes, err)
	}
	for name, level := range map[string]store{"l1": l1, "l2": l2} {
		if e, err := level.Get(t.Context(), "a"); err != nil || e == nil || e.Value != "2" {
			t.Errorf("%s has %+v, %v", name, e, err)
		}
	}
}

func TestTieredWithoutL2(t *testing.T) {
	down := errors.New("down")
	l1, below := storetest.Reference().Store, storetest.Reference().Store
	l2 := &faulty{store: below}
	s := cache.Tiered[string, string](l1, l2)
	load(t, s, "near", an("1"))
	load(t, below, "far", an("2"))
	*l2 = faulty{store: below, get: down, many: down, reserve: down, quarantine: down, invalidate: down,
		partial: map[string]*entry{"part": an("3")}}

	want(t, s, "near", "1")
	if e, err := s.Get(t.Context(), "far"); e != nil || err != down {
		t.Errorf("Get of what only l2 has is %v, %v", e, err)
	}
	got, err := s.GetMany(t.Context(), []string{"near", "far", "part"})
	if err != down || len(got) != 2 || got["near"] == nil || got["part"] == nil {
		t.Errorf("GetMany is %v, %v, want near, part and an error", got, err)
	}
	if _, err := s.Reserve(t.Context(), slot{Key: "far"}); err != down {
		t.Errorf("Reserve: %v", err)
	}
	if _, err := s.Quarantine(t.Context(), slot{Key: "near"}); err != down {
		t.Errorf("Quarantine: %v", err)
	}
	want(t, s, "near", "1")
	if err := s.Invalidate(t.Context(), "near"); err != down {
		t.Errorf("Invalidate: %v", err)
	}
	want(t, l1, "near", "")
}

func TestTieredWithoutL1(t *testing.T) {
	down := errors.New("down")
	l1, l2 := &faulty{store: storetest.Reference().Store}, storetest.Reference().Store
	s := cache.Tiered[string, string](l1, l2)
	load(t, l2, "k", an("v"))

	l1.quarantine = down
	if _, err := s.Quarantine(t.Context(), slot{Key: "k"}); err != down {
		t.Errorf("Quarantine: %v", err)
	}
	if out := load(t, l2, "k", an("w")); out != cache.Stored {
		t.Errorf("after a Quarantine that failed, l2 is still in quarantine: a fill is %v", out)
	}
	l1.get, l1.many = down, down
	if _, err := s.Get(t.Context(), "k"); err != down {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.GetMany(t.Context(), []string{"k"}); err != down {
		t.Errorf("GetMany: %v", err)
	}
	l1.get, l1.many, l1.reserve = nil, nil, down
	if _, err := s.Get(t.Context(), "k"); err != down {
		t.Errorf("Get that cannot reserve: %v", err)
	}
	if _, err := s.GetMany(t.Context(), []string{"k"}); err != down {
		t.Errorf("GetMany that cannot reserve: %v", err)
	}
	if _, err := s.Reserve(t.Context(), slot{Key: "k"}); err != down {
		t.Errorf("Reserve: %v", err)
	}
	l1.reserve, l1.commit = nil, down
	if e, err := s.Get(t.Context(), "k"); err != nil || e == nil || e.Value != "w" {
		t.Errorf("Get that cannot store in l1 is %v, %v", e, err)
	}
	if got, err := s.GetMany(t.Context(), []string{"k"}); err != nil || len(got) != 1 {
		t.Errorf("GetMany that cannot store in l1 is %v, %v", got, err)
	}
	l1.commit, l1.invalidate = nil, down
	if err := s.Invalidate(t.Context(), "k"); err != down {
		t.Errorf("Invalidate: %v", err)
	}
	want(t, l2, "k", "")
}

func TestTieredNeedsBothStores(t *testing.T) {
	s := storetest.Reference().Store
	for _, pair := range [][2]store{{nil, s}, {s, nil}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Tiered(%v, %v) does not panic", pair[0], pair[1])
				}
			}()
			cache.Tiered(pair[0], pair[1])
		}()
	}
}
