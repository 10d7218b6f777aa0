package promcache_test

import (
	"fmt"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/promcache"
	"github.com/prometheus/client_golang/prometheus"
)

func ExampleNew() {
	var memory, redis, users, orders cache.Source = // stores and Loaders
	&source{Level: cache.Memory}, &source{Level: cache.Shared}, &source{Level: cache.Origin}, &source{Level: cache.Origin}

	registry := prometheus.NewRegistry()
	registry.MustRegister(promcache.New("users", memory, redis, users))
	registry.MustRegister(promcache.New("orders", orders))

	families, err := registry.Gather()
	for _, f := range families {
		if f.GetName() == "larder_loads_total" {
			fmt.Println(len(f.GetMetric()), f.GetHelp(), err)
		}
	}
	// Output: 2 Keys that the origin was asked for. <nil>
}
