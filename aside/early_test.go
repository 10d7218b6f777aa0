package aside_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

var ahead = invalidation.Policy{Fresh: time.Minute, Ahead: 0.5}

func TestAValueIsLoadedAgainBeforeItsTime(t *testing.T) {
	for name, p := range map[string]invalidation.Policy{
		"ahead": ahead, "early": {Fresh: time.Minute, Early: 5},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, seen, s := &switchboard{do: takes(time.Second, nil)}, &events{}, newProbe(nil)
				l := aside.New(s, o.load, p, options(seen))
				b := aside.NewBatch(newProbe(nil), o.many, p, options(&events{}))
				l.Get(t.Context(), 1)
				b.Get(t.Context(), 2)
				synctest.Wait()
				for time.Since(began) < 10*time.Minute { // nobody ever waits
					start := time.Now()
					_, err := l.Get(t.Context(), 1)
					rows, err2 := b.GetMany(t.Context(), []int{2})
					if time.Since(start) != 0 || err != nil || err2 != nil || len(rows) != 1 {
						t.Fatalf("a read has waited: %v, %v, %v", err, err2, rows)
					}
					time.Sleep(100 * time.Millisecond)
				}
				if n := o.count(); n < 18 || n > 2*22 {
					t.Errorf("%d loads", n)
				}
				if n := len(seen.of(cache.RefreshStarted)); n < 9 || n > 22 || len(seen.of(cache.StaleServed)) != 0 {
					t.Errorf("%d refreshes are observed, %d stale reads", n, len(seen.of(cache.StaleServed)))
				}
				if s.slots[0].Refresh || !s.slots[1].Refresh {
					t.Errorf("the slots are %+v", s.slots[:2])
				}
				l.Close(t.Context())
				b.Close(t.Context())
			})
		})
	}
}

func TestAheadLoadsOnceAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{do: takes(time.Second, nil)}
		l := aside.New(newProbe(nil), o.load, ahead, nil)
		get := func() (int, error) { return l.Get(t.Context(), 1) }
		get()
		synctest.Wait()
		time.Sleep(29 * time.Second)
		want(t, "before the half of its life", get, 1, nil)
		if synctest.Wait(); o.count() != 1 {
			t.Errorf("%d loads", o.count())
		}
		time.Sleep(time.Second)
		for range 1000 {
			want(t, "from the half on", get, 1, nil)
		}
		if synctest.Wait(); o.count() != 2 {
			t.Errorf("%d loads", o.count())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		want(t, "when it is loaded", get, 2, nil)
	})
}

func TestAnEarlyRefreshThatFailsCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &switchboard{}
		l := aside.New(newProbe(nil), o.load, invalidation.Policy{Fresh: time.Minute, Ahead: 0.5, Backoff: 10 * time.Second}, nil)
		get := func() (int, error) { return l.Get(t.Context(), 1) }
		get()
		synctest.Wait()
		o.set(fails)
		time.Sleep(40 * time.Second)
		for range 100 {
			want(t, "while the origin fails", get, 1, nil)
			synctest.Wait()
		}
		if o.count() != 2 {
			t.Errorf("%d loads", o.count())
		}
		o.set(nil)
		time.Sleep(11 * time.Second)
		get() // tries again
		synctest.Wait()
		want(t, "after the back-off", get, 3, nil)
	})
}

func TestWhatSomebodyElseHasStoredEndsAnEarlyRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, p := &switchboard{}, newProbe(nil)
		l := aside.New(p, o.load, ahead, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(40 * time.Second)
		p.hook = func(verb string) error {
			if verb == "Reserve" { // another process was faster
				f, _ := p.Store.Reserve(context.Background(), cache.Slot[int]{Key: 1})
				e := &cache.Entry[int]{Value: 7, Fresh: cache.Now().Add(time.Minute)}
				e.Expires = e.Fresh
				f.Commit(context.Background(), e)
			}
			return nil
		}
		l.Get(t.Context(), 1)
		synctest.Wait()
		want(t, "after it", func() (int, error) { return l.Get(t.Context(), 1) }, 7, nil)
		if o.count() != 1 {
			t.Errorf("%d loads", o.count())
		}
	})
}

func TestARefreshThatAnotherProcessMakesIsLeftToIt(t *testing.T) {
	for name, strict := range map[string]bool{"": false, "linearizable": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newProbe(nil)
				o, seen := &switchboard{}, &events{}
				l := aside.New(p, o.load, ahead, &aside.Options[int, int]{Observer: seen, Linearizable: strict})
				get := func() (int, error) { return l.Get(t.Context(), 1) }
				get()
				synctest.Wait()
				time.Sleep(40 * time.Second)
				p.hook = failing(cache.ErrBusy, "Reserve")
				for range 100 {
					want(t, "meanwhile", get, 1, nil)
					synctest.Wait()
				}
				if got := seen.of(cache.RefreshSkipped); len(got) != 1 || got[0].N != 1 || o.count() != 1 || len(seen.of(cache.Unavailable)) != 0 {
					t.Errorf("observed: %+v, %d loads", got, o.count())
				}
				time.Sleep(time.Second)
				p.hook = nil // the other process has died
				get()
				synctest.Wait()
				want(t, "later", get, 2, nil)
			})
		})
	}
}

// Otherwise reads of what is stale in memory while Redis is down would load it again
// and again, in vain.
func TestARefreshThatCouldNotBeStoredIsNotMade(t *testing.T) {
	for name, strict := range map[string]bool{"": false, "linearizable": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, seen, p := &switchboard{}, &events{}, newProbe(nil)
				l := aside.New(p, o.load, stale, &aside.Options[int, int]{Observer: seen, Linearizable: strict})
				get := func() (int, error) { return l.Get(t.Context(), 1) }
				get()
				synctest.Wait()
				time.Sleep(2 * time.Minute)
				p.hook = failing(errDown, "Reserve")
				for range 100 {
					want(t, "meanwhile", get, 1, nil)
					synctest.Wait()
				}
				if o.count() != 1 || len(seen.of(cache.RefreshSkipped)) != 1 || len(seen.of(cache.Unavailable)) != 1 {
					t.Errorf("%d loads; observed: %+v", o.count(), seen.list)
				}
				time.Sleep(time.Second)
				p.hook = nil
				get()
				synctest.Wait()
				want(t, "when the store is back", get, 2, nil)
			})
		})
	}
}

func TestWhoNeedsAValueThatAnotherProcessRefreshesLoadsIt(t *testing.T) {
	for name, strict := range map[string]bool{"": false, "linearizable": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, o := newProbe(nil), &switchboard{}
				l := aside.New(p, o.load, ahead, &aside.Options[int, int]{Linearizable: strict})
				l.Get(t.Context(), 1)
				synctest.Wait()
				time.Sleep(40 * time.Second)
				busy := true
				p.hook = func(verb string) error {
					if verb == "Reserve" && busy {
						busy = false
						time.Sleep(time.Second)
						return cache.ErrBusy
					}
					return nil
				}
				l.Get(t.Context(), 1)
				synctest.Wait()
				p.Store.Invalidate(t.Context(), 1)
				want(t, "who needs it", func() (int, error) { return l.Get(t.Context(), 1) }, 2, nil)
				synctest.Wait()
				if s := p.slots[len(p.slots)-1]; s.Refresh {
					t.Errorf("the slot is %+v", s)
				}
			})
		})
	}
}

func TestWhatIsFreshInMemoryIsRefreshedInBothTiers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, l1, l2 := &switchboard{}, memstore.New[int, int](nil, 10, nil), memstore.New[int, int](nil, 10, nil)
		l := aside.New(cache.Tiered[int, int](l1, l2), o.load, ahead, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		time.Sleep(40 * time.Second)
		l.Get(t.Context(), 1)
		synctest.Wait()
		for name, s := range map[string]cache.Cache[int, int]{"memory": l1, "shared": l2} {
			if e, _ := s.Get(t.Context(), 1); e == nil || e.Value != 2 {
				t.Errorf("%s has %+v after %d loads", name, e, o.count())
			}
		}
	})
}
