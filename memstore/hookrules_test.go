package memstore_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/memstore"
)

// hooks are the functions of the user's that a store calls. Each calls what was last set.
type hooks struct{ f atomic.Pointer[func(string)] }

func (h *hooks) set(f func(string)) { h.f.Store(&f) }

func (h *hooks) call(name string) {
	if f := h.f.Load(); f != nil && *f != nil {
		(*f)(name)
	}
}

func (h *hooks) Observe(e cache.Event) {
	h.call("Observer")
	h.call("Observer of " + e.Kind.String())
}

// options returns options with all functions there are.
func (h *hooks) options(e memstore.Eviction, weighed bool) *memstore.Options[string, string] {
	o := &memstore.Options[string, string]{Eviction: e, Observer: h,
		OnEvict: func(_ string, _ *cache.Entry[string], why memstore.Reason) {
			h.call("OnEvict")
			h.call("OnEvict of " + why.String())
		}}
	if weighed {
		o.Weight = func(string, string) int { h.call("Weight"); return 1 }
	}
	return o
}

func TestHooks_KeepTheRules(t *testing.T) {
	for _, r := range storetest.Rules() {
		if !strings.HasPrefix(r.Name, "hook/") {
			continue
		}
		for _, e := range policies {
			for _, capacity := range []int{1, 1000} { // with one, each commit evicts another
				for _, weighed := range []bool{false, true} {
					h := &hooks{}
					s := memstore.New(nil, capacity, h.options(e, weighed))
					if err := r.Check(t.Context(), storetest.Subject{Store: s, Hooks: h.set}); err != nil {
						t.Errorf("%v, capacity %d, weighed: %v: %v", e, capacity, weighed, err)
					}
				}
			}
		}
	}
}
