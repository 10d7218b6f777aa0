package footprint

import (
	"context"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// kind is something that holds entries in memory.
type kind struct {
	name, title string
	fill        func(n, size int) any
}

var kinds = []kind{
	{"larder_int", "memstore, integer keys", func(n, size int) any { return fillStore(n, size, func(i int) int64 { return int64(i) }) }},
	{"larder_string", "memstore, string keys", func(n, size int) any { return fillStore(n, size, textKey) }},
	{"lru_int", "golang-lru, integer keys", func(n, size int) any { return fillLRU(n, size, func(i int) int64 { return int64(i) }) }},
	{"lru_string", "golang-lru, string keys", func(n, size int) any { return fillLRU(n, size, textKey) }},
	{"map_int", "a map, integer keys", func(n, size int) any { return fillMap(n, size, func(i int) int64 { return int64(i) }) }},
	{"map_string", "a map, string keys", func(n, size int) any { return fillMap(n, size, textKey) }},
}

func textKey(i int) string { return "customer:" + strconv.Itoa(i) }

// text is a value of its own for each entry, as those that are decoded are.
func text(size int) string { return strings.Clone(strings.Repeat("x", size)) }

func fillStore[K comparable](n, size int, key func(int) K) any {
	ctx := context.Background()
	m := memstore.New[K, string](invalidation.NewDomain(), n, nil)
	now := cache.Now()
	for i := range n {
		cache.Put(ctx, m, key(i), &cache.Entry[string]{Value: text(size), Fresh: now.Add(time.Hour), Expires: now.Add(time.Hour)}) // memory never fails
	}
	return m
}

func fillLRU[K comparable](n, size int, key func(int) K) any {
	m, err := lru.New[K, string](n)
	if err != nil {
		panic(err) // Config.Check sees to it that there are entries
	}
	for i := range n {
		m.Add(key(i), text(size))
	}
	return m
}

func fillMap[K comparable](n, size int, key func(int) K) any {
	m := map[K]string{}
	for i := range n {
		m[key(i)] = text(size)
	}
	return m
}

// expected is how long it takes to fill one with n entries, about.
func expected(n int) time.Duration { return time.Duration(n) * 2 * time.Microsecond }
