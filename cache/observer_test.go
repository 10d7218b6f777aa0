package cache_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestCounterCountsByKind(t *testing.T) {
	var c cache.Counter
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c.Observe(cache.Event{Kind: cache.Hit})
			c.Observe(cache.Event{Kind: cache.Hit, N: 10})
			c.Observe(cache.Event{Kind: cache.Load, N: -1})
			c.Observe(cache.Event{Kind: 255, N: 1})
		})
	}
	wg.Wait()
	if c.Count(cache.Hit) != 44 || c.Count(cache.Load) != 4 || c.Count(cache.Miss) != 0 || c.Count(255) != 0 {
		t.Errorf("hits %d, loads %d, misses %d, others %d", c.Count(cache.Hit), c.Count(cache.Load), c.Count(cache.Miss), c.Count(255))
	}
}

func TestMissesAreAllKindsOfMiss(t *testing.T) {
	var c cache.Counter
	want := int64(0)
	for k := cache.Hit; k.String() != "unknown"; k++ {
		c.Observe(cache.Event{Kind: k, N: int(k) + 1})
		if strings.HasPrefix(k.String(), "miss") {
			want += int64(k) + 1
		}
	}
	if got := c.Misses(); got != want || want == 0 {
		t.Errorf("Misses is %d, want %d", got, want)
	}
}

func TestKindsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for k := cache.Hit; k <= cache.WriteSettled; k++ {
		name := k.String()
		if name == "" || name == "unknown" || seen[name] || name != strings.ToLower(name) {
			t.Errorf("kind %d is called %q", k, name)
		}
		seen[name] = true
	}
	if got := cache.Kind(cache.WriteSettled + 1).String(); got != "unknown" {
		t.Errorf("a kind that is not there is called %q", got)
	}
}
