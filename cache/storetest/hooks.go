package storetest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

// A hook is a function of the user's that the store calls. These are the ways in which one
// may end that do not return.
var hookEnds = []struct {
	name string
	end  func()
}{
	{"a panic", func() { panic("boom") }},
	{"a panic with an error that Go cannot compare", func() { panic(oddError{[]int{1}}) }},
	{"runtime.Goexit", runtime.Goexit},
}

// oddError is an error that Go cannot compare.
type oddError struct{ what any }

func (oddError) Error() string { return "odd" }

// hookCalls are calls in which a store may call hooks. They return an error that they ended
// with.
var hookCalls = []struct {
	name string
	do   func(ctx context.Context, s cache.Cache[string, string], key string) error
}{
	{"Get", func(ctx context.Context, s cache.Cache[string, string], key string) error {
		_, err := s.Get(ctx, key)
		return err
	}},
	{"GetMany", func(ctx context.Context, s cache.Cache[string, string], key string) error {
		_, err := s.GetMany(ctx, []string{key, key + "+"})
		return err
	}},
	{"Reserve and Commit", func(ctx context.Context, s cache.Cache[string, string], key string) error {
		return filled(ctx, s.Reserve, key, an("hooked", "t"))
	}},
	{"Reserve and Commit of nil", func(ctx context.Context, s cache.Cache[string, string], key string) error {
		return filled(ctx, s.Reserve, key, nil)
	}},
	{"Quarantine and Commit", func(ctx context.Context, s cache.Cache[string, string], key string) error {
		return filled(ctx, s.Quarantine, key, an("hooked", "t"))
	}},
	{"Quarantine and Cancel", func(ctx context.Context, s cache.Cache[string, string], key string) error {
		f, err := s.Quarantine(ctx, slot(key), slot(key+"+"))
		if err != nil {
			return err
		}
		return f.Cancel(ctx)
	}},
	{"Invalidate", func(ctx context.Context, s cache.Cache[string, string], key string) error {
		return s.Invalidate(ctx, key+"+", key)
	}},
}

func filled(ctx context.Context, open func(context.Context, ...cache.Slot[string]) (fill, error), key string, e *entry) error {
	f, err := open(ctx, late(key), slot(key+"+"))
	if err != nil {
		return err
	}
	_, err = f.Commit(ctx, e, nil)
	return err
}

// hooked is a call in which one of the hooks did not return.
type hooked struct {
	call, hook, how string
	key             string
	returned        bool
	err             error
	panicked        any
}

func (h hooked) String() string { return fmt.Sprintf("%s, and %s of %s", h.call, h.how, h.hook) }

// hooks makes every call with every hook that the store calls in it, of which none returns,
// and then asks check. Each call has a key of its own, which has an old value, a stale one
// or none.
func (p *probe) hooks(check func(hooked)) {
	n := 0
	for _, c := range hookCalls {
		for _, old := range []*entry{nil, an("old", "t"), stale("old", "t")} {
			ready := func() string {
				n++
				key := fmt.Sprint("k", n)
				if old != nil {
					e := *old
					p.stored(p.reserve(late(key)), &e)
				}
				return key
			}
			for _, hook := range p.hooksOf(func() error { return c.do(p.ctx, p.Store, ready()) }) {
				for _, how := range hookEnds {
					h := hooked{call: c.name, hook: hook, how: how.name, key: ready()}
					p.Hooks(func(name string) {
						if name == hook {
							how.end()
						}
					})
					h.run(func() error { return c.do(p.ctx, p.Store, h.key) })
					p.Hooks(nil)
					check(h)
				}
			}
		}
	}
	if n == 0 {
		p.fail("Store calls no hooks")
	}
}

// hooksOf returns the names of the hooks that are called meanwhile, each once.
func (p *probe) hooksOf(do func() error) []string {
	var mu sync.Mutex
	var names []string
	p.Hooks(func(name string) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	if err := do(); err != nil {
		p.fail("a call in which the hooks do nothing: %w", err)
	}
	p.Hooks(nil)
	mu.Lock()
	defer mu.Unlock()
	return slices.Sorted(slices.Values(names))
}

// run makes the call on a goroutine that a hook may end.
func (h *hooked) run(do func() error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { h.panicked = recover() }()
		h.err = do()
		h.returned = true
	}()
	<-done
}

var hookRules = []Rule{
	rule("hook/contained", "A panic of a function of the user's does not go on in the caller, whose error, if there is one, is a PanicError.", reference.HookThrough, hooks, func(p *probe) {
		p.hooks(func(h hooked) {
			switch _, ok := errors.AsType[*cache.PanicError](h.err); {
			case h.panicked != nil:
				p.fail("%v: the caller panics: %v", h, h.panicked)
			case h.err != nil && !ok:
				p.fail("%v: the error is no PanicError: %w", h, h.err)
			}
		})
	}),
	rule("hook/unlocked", "A function of the user's that panics, or ends its goroutine, leaves no key held: it can be filled afterwards.", reference.HookHolds, hooks, func(p *probe) {
		p.hooks(func(h hooked) {
			for _, key := range []string{h.key, h.key + "+"} {
				// A store may release a writer's key in the background, if Release failed.
				p.until(fmt.Sprintf("%v: %s cannot be filled", h, key), func() bool {
					f := p.reserve(late(key))
					if e := f.Found(0); e != nil && e.Fresh > cache.Now() {
						p.cancel(f)
						return true
					}
					return p.commit(f, an("new"))[0] == cache.Stored
				})
			}
		})
	}),
	rule("hook/old-value", "After Invalidate or Quarantine returned no error, the old value is gone, whatever functions of the user's did meanwhile.", reference.HookKeepsOld, hooks, func(p *probe) {
		p.hooks(func(h hooked) {
			if !h.returned || h.err != nil || h.call[0] != 'Q' && h.call != "Invalidate" {
				return
			}
			if e := p.get(h.key); e != nil && e.Value == "old" {
				p.fail("%v: the old value is still there", h)
			}
		})
	}),
}
