package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

// client returns one of an in-process server.
func client(t testing.TB) (*miniredis.Miniredis, *redis.Client) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { rdb.Close() })
	return server, rdb
}

// open returns the space of a process.
func open(t testing.TB, rdb redis.UniversalClient, name string) *redisstore.Space {
	space, err := redisstore.Open(t.Context(), rdb, name, &redisstore.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return space
}
