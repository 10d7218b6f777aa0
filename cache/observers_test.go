package cache_test

import (
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
