package main

import (
	"context"

	"github.com/Yiling-J/theine-go"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/memstore"
	"github.com/maypok86/otter/v2"
)

// policy is one column.
type policy struct {
	name, module string
	// open returns a function that asks for a key, and stores it if it is not
	// there, and one that ends all that goes on.
	open func(capacity int) (request func(id uint32) (hit bool), end func())
}

const (
	golangLRU = "github.com/hashicorp/golang-lru/v2"
	larder    = "github.com/larder-cache/larder"
)

// policies are all of them. The first one is what the others are compared with.
var policies = []policy{
	{"golang-lru LRU", golangLRU, openLRU},
	{"larder lru", larder, openLarder(memstore.LRU)},
	{"larder 2q", larder, openLarder(memstore.TwoQueue)},
	{"larder adaptive", larder, openLarder(memstore.Adaptive)},
	{"otter", "github.com/maypok86/otter/v2", openOtter},
	{"theine", "github.com/Yiling-J/theine-go", openTheine},
	{"golang-lru 2Q", golangLRU, open2Q},
}

func nothing() {}

func openLarder(e memstore.Eviction) func(int) (func(uint32) bool, func()) {
	return func(capacity int) (func(uint32) bool, func()) {
		ctx := context.Background()
		s := memstore.New(nil, capacity, &memstore.Options[uint32, struct{}]{Eviction: e})
		stored := &cache.Entry[struct{}]{Fresh: cache.Forever, Expires: cache.Forever}
		return func(id uint32) bool {
			if e, _ := s.Get(ctx, id); e != nil {
				return true
			}
			if f, err := s.Reserve(ctx, cache.Slot[uint32]{Key: id}); err == nil {
				f.Commit(ctx, stored)
			}
			return false
		}, nothing
	}
}

// openOtter lets the cache do its own work at once, so that it does not lag behind.
func openOtter(capacity int) (func(uint32) bool, func()) {
	c := otter.Must(&otter.Options[uint32, struct{}]{MaximumSize: capacity, Executor: func(f func()) { f() }})
	return func(id uint32) bool {
		if _, ok := c.GetIfPresent(id); ok {
			return true
		}
		c.Set(id, struct{}{})
		c.CleanUp()
		return false
	}, nothing
}

// openTheine waits until each entry has reached the policy.
func openTheine(capacity int) (func(uint32) bool, func()) {
	c, err := theine.NewBuilder[uint32, struct{}](int64(capacity)).Build()
	if err != nil {
		panic(err)
	}
	return func(id uint32) bool {
		if _, ok := c.Get(id); ok {
			return true
		}
		c.Set(id, struct{}{}, 1)
		c.Wait()
		return false
	}, c.Close
}

func openLRU(capacity int) (func(uint32) bool, func()) {
	c, err := lru.New[uint32, struct{}](capacity)
	if err != nil {
		panic(err)
	}
	return func(id uint32) bool {
		if _, ok := c.Get(id); ok {
			return true
		}
		c.Add(id, struct{}{})
		return false
	}, nothing
}

func open2Q(capacity int) (func(uint32) bool, func()) {
	c, err := lru.New2Q[uint32, struct{}](capacity)
	if err != nil {
		panic(err)
	}
	return func(id uint32) bool {
		if _, ok := c.Get(id); ok {
			return true
		}
		c.Add(id, struct{}{})
		return false
	}, nothing
}
