package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// RunPrefix returns a prefix of keys that no other run has: name, and something
// random.
func RunPrefix(name string) string {
	b := make([]byte, 8)
	rand.Read(b) // never fails
	return name + "-" + hex.EncodeToString(b)
}

// Sweep removes all keys that begin with prefix, on every master of a cluster,
// and returns how many they were. The prefix must not have characters that
// mean something in a pattern of Redis.
func (s *Server) Sweep(ctx context.Context, prefix string) (int64, error) {
	if prefix == "" || strings.ContainsAny(prefix, `*?[]\`) {
		return 0, fmt.Errorf("%q is no prefix to remove keys by", prefix)
	}
	var n atomic.Int64
	each := func(ctx context.Context, c *redis.Client) error { return sweep(ctx, c, prefix, &n) }
	var err error
	switch c := s.Client.(type) {
	case *redis.ClusterClient:
		err = c.ForEachMaster(ctx, each)
	case *redis.Client:
		err = each(ctx, c)
	}
	if err != nil {
		return n.Load(), fmt.Errorf("remove the keys %s*: %w", prefix, err)
	}
	return n.Load(), nil
}

func sweep(ctx context.Context, c *redis.Client, prefix string, n *atomic.Int64) error {
	var cursor uint64
	for {
		keys, next, err := c.Scan(ctx, cursor, prefix+"*", 1000).Result()
		if err != nil {
			return err
		}
		// One command a key: those of a cluster lie in different slots.
		p := c.Pipeline()
		for _, k := range keys {
			if strings.HasPrefix(k, prefix) {
				p.Unlink(ctx, k)
			}
		}
		if p.Len() > 0 {
			gone, err := p.Exec(ctx)
			if err != nil {
				return err
			}
			for _, cmd := range gone {
				n.Add(cmd.(*redis.IntCmd).Val())
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}
