package cache_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
)

// watched is a store of which a verb may not return, and that counts the fills which are
// open.
type watched struct {
	store
	at   string
	end  func()
	open int
}

func (w *watched) here(verb string) {
	if w.at == verb {
		w.end()
	}
}

func (w *watched) Get(ctx context.Context, key string) (*entry, error) {
	w.here("Get")
	return w.store.Get(ctx, key)
}

func (w *watched) GetMany(ctx context.Context, keys []string) (map[string]*entry, error) {
	w.here("GetMany")
	return w.store.GetMany(ctx, keys)
}

func (w *watched) Reserve(ctx context.Context, slots ...slot) (cache.Fill[string], error) {
	w.here("Reserve")
	f, err := w.store.Reserve(ctx, slots...)
	w.open++
	return &watchedFill{f, w}, err
}

func (w *watched) Quarantine(ctx context.Context, slots ...slot) (cache.Fill[string], error) {
	w.here("Quarantine")
	f, err := w.store.Quarantine(ctx, slots...)
	w.open++
	return &watchedFill{f, w}, err
}

func (w *watched) Invalidate(ctx context.Context, keys ...string) error {
	w.here("Invalidate")
	return w.store.Invalidate(ctx, keys...)
}

type watchedFill struct {
	cache.Fill[string]
	w *watched
}

func (f *watchedFill) Found(i int) *entry {
	f.w.here("Found")
	return f.Fill.Found(i)
}

func (f *watchedFill) Commit(ctx context.Context, entries ...*entry) ([]cache.Outcome, error) {
	f.w.here("Commit")
	f.w.open--
	return f.Fill.Commit(ctx, entries...)
}

func (f *watchedFill) Cancel(ctx context.Context) error {
	f.w.open--
	return f.Fill.Cancel(ctx)
}

// A call that does not return in one level leaves nothing open, and nothing old, in the other.
func TestTiered_ALevelThatPanicsLeavesNothingHeldInTheOther(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		for _, verb := range []string{"Get", "GetMany", "Reserve", "Quarantine", "Invalidate", "Commit", "Found"} {
			for _, bad := range []int{1, 2} {
				for what, do := range map[string]func(context.Context, store){
					"Get":     func(ctx context.Context, s store) { s.Get(ctx, "k") },
					"Find":    func(ctx context.Context, s store) { cache.Find(ctx, s, "k") },
					"GetMany": func(ctx context.Context, s store) { s.GetMany(ctx, []string{"k", "l"}) },
					"Strict":  func(ctx context.Context, s store) { cache.Strict(s).Get(ctx, "k") },
					"fill": func(ctx context.Context, s store) {
						f, err := s.Reserve(ctx, slot{Key: "k"})
						if err == nil {
							f.Commit(ctx, an("v"))
						}
					},
					"leave": func(ctx context.Context, s store) {
						f, err := s.Reserve(ctx, slot{Key: "k"})
						if err == nil {
							f.Cancel(ctx)
						}
					},
					"Put":        func(ctx context.Context, s store) { cache.Put(ctx, s, "k", an("v")) },
					"Invalidate": func(ctx context.Context, s store) { s.Invalidate(ctx, "old") },
				} {
					t.Run(what+"/"+verb+"/"+name, func(t *testing.T) {
						levels := []*watched{nil, {store: storetest.Reference().Store}, {store: storetest.Reference().Store}}
						s := cache.Tiered[string, string](levels[1], levels[2])
						load(t, s, "old", an("old"))
						levels[bad].at, levels[bad].end = verb, end
						done := make(chan struct{})
						returned := false
						go func() {
							defer close(done)
							defer func() { recover() }()
							do(t.Context(), s)
							returned = true
						}()
						<-done
						other := levels[3-bad]
						// A level that does not end its own fill is to blame for that itself.
						if other.open != 0 {
							t.Errorf("%d fills are open in the other level", other.open)
						}
						if what == "Invalidate" {
							if e, err := other.store.Get(t.Context(), "old"); e != nil || err != nil {
								t.Errorf("the other level has %v, %v after an Invalidate", e, err)
							}
						}
						if returned {
							return
						}
						if ok, err := cache.Put(t.Context(), other.store, "k", an("new")); !ok || err != nil {
							t.Errorf("the other level is held: %v", err)
						}
					})
				}
			}
		}
	}
}
