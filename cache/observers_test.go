package cache_test

import (
	"runtime"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestObserversTellsAllThatAreThere(t *testing.T) {
	var a, b, c cache.Counter
	all := cache.Observers(nil, &a, cache.Observers(&b, nil, &c), nil)
	all.Observe(cache.Event{Kind: cache.Miss, N: 3})
	for i, o := range []*cache.Counter{&a, &b, &c} {
		if o.Count(cache.Miss) != 3 {
			t.Errorf("observer %d has been told of %d misses", i, o.Count(cache.Miss))
		}
	}
	if cache.Observers() != nil || cache.Observers(nil, cache.Observers(nil)) != nil {
		t.Error("there is an Observer of none")
	}
	if got := cache.Observers(nil, &a); got != cache.Observer(&a) {
		t.Errorf("one alone is %T", got)
	}
}

// hook is an Observer that is a function.
type hook func()

func (h hook) Observe(cache.Event) { h() }

func TestObservers_APanicKeepsNoOtherFromBeingTold(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		var before, after cache.Counter
		all := cache.Observers(&before, hook(end), hook(end), &after)
		var got any
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer func() { got = recover() }()
			all.Observe(cache.Event{Kind: cache.Miss, N: 1})
			t.Errorf("%s: it is swallowed", name)
		}()
		<-done
		if before.Count(cache.Miss) != 1 || after.Count(cache.Miss) != 1 {
			t.Errorf("%s: told %d and %d", name, before.Count(cache.Miss), after.Count(cache.Miss))
		}
		if (got != nil) != (name == "panic") {
			t.Errorf("%s: recovered %v", name, got)
		}
	}
}
