package tagcost

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// batch is how many entries are stored at once.
const batch = 500

// value is what is stored.
const value = "a value of some length, as it might be the name and the address of a customer"

// larder is this library: two processes, of which the other has what is watched in memory.
type larder struct {
	own, other *redisstore.Space
	shared     *redisstore.Store[string, string] // of the first
	entries    *aside.Batch[string, string]
	memory     cache.Cache[string, string] // of the other process
	both       cache.Cache[string, string] // of the other process: the same, over Redis
}

func openLarder(ctx context.Context, on *server.Server, prefix string) (way, error) {
	o := &redisstore.Options{Timeout: 5 * time.Second}
	own, err := redisstore.Open(ctx, on.Client, prefix, o)
	if err != nil {
		return nil, err
	}
	other, err := redisstore.Open(ctx, on.Client, prefix, o)
	if err != nil {
		own.Close(ctx)
		return nil, err
	}
	l := &larder{own: own, other: other, shared: redisstore.New[string, string](own, "entries", nil)}
	load := func(_ context.Context, keys []string) (map[string]string, error) {
		values := make(map[string]string, len(keys))
		for _, k := range keys {
			values[k] = value
		}
		return values, nil
	}
	l.entries = aside.NewBatch(l.shared, load, invalidation.TTL(time.Hour),
		&aside.Options[string, string]{KeyTags: func(key string) []string { return []string{tagOf(key)} }})
	l.memory = memstore.New[string, string](other.Domain, 100, nil)
	l.both = cache.Tiered(l.memory, redisstore.New[string, string](other, "entries", nil))
	return l, nil
}

// key is that of the i-th entry of a tag, from which the tag can be told.
func key(tag string, i int) string { return tag + "/" + strconv.Itoa(i) }

func tagOf(key string) string {
	for i := range len(key) {
		if key[i] == '/' {
			return key[:i]
		}
	}
	return key
}

func (l *larder) fill(ctx context.Context, tag string, members int) error {
	for from := 0; from < members; from += batch {
		var keys []string
		for i := from; i < min(from+batch, members); i++ {
			keys = append(keys, key(tag, i))
		}
		if _, err := l.entries.GetMany(ctx, keys); err != nil {
			return err
		}
		// Callers have their values before these are stored.
		if err := until(ctx, func() bool {
			found, err := l.shared.GetMany(ctx, keys)
			return err == nil && len(found) == len(keys)
		}); err != nil {
			return fmt.Errorf("what was loaded is not stored: %w", err)
		}
	}
	return nil
}

// until waits for something that should soon be so.
func until(ctx context.Context, so func() bool) error {
	for deadline := time.Now().Add(hearing); !so(); {
		if err := ctx.Err(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not in %v", hearing)
		}
	}
	return nil
}

// hearing is how long the other process may take to have, and to drop, an entry.
const hearing = 5 * time.Second

func (l *larder) invalidate(ctx context.Context, tag string) (took, heard time.Duration, err error) {
	k := key(tag, 0)
	if err := until(ctx, func() bool {
		l.both.Get(ctx, k)
		e, _ := l.memory.Get(ctx, k)
		return e != nil
	}); err != nil {
		return 0, 0, fmt.Errorf("an entry does not get into memory: %w", err)
	}
	done := make(chan time.Duration, 1)
	start := time.Now()
	go func() {
		for time.Since(start) < hearing {
			if e, _ := l.memory.Get(ctx, k); e == nil {
				break
			}
			time.Sleep(20 * time.Microsecond)
		}
		done <- time.Since(start)
	}()
	err = l.own.InvalidateTags(ctx, tag)
	took = time.Since(start)
	return took, <-done, err
}

func (l *larder) close(ctx context.Context) error {
	return cmp.Or(l.entries.Close(ctx), l.own.Close(ctx), l.other.Close(ctx))
}

// naive keeps the keys of each tag in a set.
type naive struct {
	rdb    redis.UniversalClient
	prefix string
}

func openNaive(_ context.Context, on *server.Server, prefix string) (way, error) {
	return &naive{on.Client, prefix}, nil
}

func (n *naive) set(tag string) string { return n.prefix + ":members:" + tag }

func (n *naive) fill(ctx context.Context, tag string, members int) error {
	for from := 0; from < members; from += batch {
		_, err := n.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := from; i < min(from+batch, members); i++ {
				k := n.prefix + ":" + key(tag, i)
				p.Set(ctx, k, value, time.Hour)
				p.SAdd(ctx, n.set(tag), k)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// invalidate removes all that the set names. Without pub/sub, no memory hears of it.
func (n *naive) invalidate(ctx context.Context, tag string) (took, heard time.Duration, err error) {
	start := time.Now()
	keys, err := n.rdb.SMembers(ctx, n.set(tag)).Result()
	if err != nil {
		return 0, 0, err
	}
	keys = append(keys, n.set(tag))
	for from := 0; from < len(keys) && err == nil; from += batch {
		// One command a key: in a cluster they are in different slots.
		_, err = n.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, k := range keys[from:min(from+batch, len(keys))] {
				p.Unlink(ctx, k)
			}
			return nil
		})
	}
	return time.Since(start), 0, err
}

func (*naive) close(context.Context) error { return nil }

// commands returns how many commands a single server has run, below 0 if it does not say.
func commands(ctx context.Context, on *server.Server) int64 {
	c, single := on.Client.(*redis.Client)
	if !single || on.Info.Embedded() {
		return -1
	}
	n, err := strconv.ParseInt(server.Fact(c.Info(ctx, "stats").Val(), "total_commands_processed"), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
