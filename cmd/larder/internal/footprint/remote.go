package footprint

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// remote is what an entry takes in Redis.
type remote struct {
	larder, tagged, plain float64
	why                   string // it was not measured
}

// measureRemote asks the server what the keys of entries take, by MEMORY USAGE, which
// counts the key and what the server keeps about it.
func measureRemote(ctx context.Context, on *server.Server, prefix string, c Config) (*remote, error) {
	switch {
	case c.Remote == 0:
		return nil, nil
	case on.Info.Embedded():
		return &remote{why: "The server inside this process does not say what keys take: use --redis spawn, or the address of one."}, nil
	}
	space, err := redisstore.Open(ctx, on.Client, prefix, &redisstore.Options{Timeout: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	defer space.Close(context.WithoutCancel(ctx))
	r := &remote{}
	for _, tags := range [][]string{nil, {"org:acme"}} {
		name := "plain"
		if tags != nil {
			name = "tagged"
		}
		store := redisstore.New[string, string](space, name, nil)
		for i := range c.Remote {
			now := cache.Now()
			e := &cache.Entry[string]{Value: text(c.Size), Tags: tags, Fresh: now.Add(time.Hour), Expires: now.Add(time.Hour)}
			if _, err := cache.Put(ctx, store, textKey(i), e); err != nil {
				return nil, err
			}
		}
	}
	if _, err := on.Client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range c.Remote {
			// The same prefix, and the quotes of JSON, which is how values are stored.
			p.Set(ctx, prefix+":v:plainset:"+textKey(i), strconv.Quote(text(c.Size)), time.Hour)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	for _, k := range []struct {
		name  string
		bytes *float64
	}{{"plain", &r.larder}, {"tagged", &r.tagged}, {"plainset", &r.plain}} {
		if *k.bytes, err = usage(ctx, on.Client, fmt.Sprintf("%s:v:%s:", prefix, k.name), c.Remote); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// usage returns the mean of what keys take.
func usage(ctx context.Context, rdb redis.UniversalClient, prefix string, n int) (float64, error) {
	cmds, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range n {
			p.MemoryUsage(ctx, prefix+textKey(i))
		}
		return nil
	})
	if err != nil {
		return 0, cmp.Or(ctx.Err(), fmt.Errorf("MEMORY USAGE: %w", err))
	}
	var sum int64
	for _, cmd := range cmds {
		sum += cmd.(*redis.IntCmd).Val()
	}
	return float64(sum) / float64(n), nil
}
