package redisstore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/redis/go-redis/v9"
)

// Unwrapper is a client that wraps another one, such as to add metrics, and says which.
// A space makes clients of its own from the options of the innermost, so what a wrapper
// adds is not carried over.
type Unwrapper interface{ Unwrap() redis.UniversalClient }

// known returns the *redis.Client or *redis.ClusterClient that rdb is or wraps. Of no
// other client the options can be read, without which a space can neither keep its
// timeouts, nor know whether the server is a cluster, a replica, or another than before.
func known(rdb redis.UniversalClient) (redis.UniversalClient, error) {
	for depth := 0; depth < 16; depth++ {
		if v := reflect.ValueOf(rdb); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, errors.New("the client is nil")
		}
		switch c := rdb.(type) {
		case *redis.Client, *redis.ClusterClient:
			return rdb, nil
		case *redis.Ring:
			return nil, errors.New("a redis.Ring cannot be used: when one of its servers comes back, so do the values that were invalidated while it was away; use Redis Cluster or Sentinel")
		case Unwrapper:
			rdb = c.Unwrap()
		default:
			return nil, fmt.Errorf("a client of type %T cannot be used, since its options are not known: give the *redis.Client or *redis.ClusterClient that it wraps, or let it have the method Unwrap() redis.UniversalClient", rdb)
		}
	}
	return nil, fmt.Errorf("a client of type %T cannot be used: it wraps itself", rdb)
}

// fits asks the server, if one answers, whether it is of the kind that the client is for.
// Otherwise every command would fail with an error that names a slot, or nothing of use.
func (s *Space) fits(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return nil // it asks nobody, as if Redis were down
	}
	ctx = budget{ctx, time.Now().Add(s.pace.bound())}
	if s.lanes > 1 {
		c := mget(ctx, []string{s.starKey(0)})
		if s.rdb.Process(ctx, c.cmd); misfit(c.cmd.Err()) {
			p := notACluster(c.cmd.Err())
			return fmt.Errorf("larder: redisstore.Open: %w", &p)
		}
		return nil
	}
	hello, several := newCmd(ctx, "hello"), newCmd(ctx, "mget", s.tagKey("a"), s.ns+":v:larder.check:a", s.ns+":v:larder.check:b")
	pipe := s.rdb.Pipeline()
	pipe.Process(ctx, hello)
	pipe.Process(ctx, several)
	pipe.Exec(ctx) // each has its own error, and neither need be possible
	about, _ := hello.Slice()
	for i := 0; i+1 < len(about); i += 2 {
		if about[i] == "mode" && about[i+1] == "cluster" {
			p := clusterBehindOne(several.Err())
			return fmt.Errorf("larder: redisstore.Open: %w", &p)
		}
	}
	if misfit(several.Err()) {
		p := clusterBehindOne(several.Err())
		return fmt.Errorf("larder: redisstore.Open: %w", &p)
	}
	if p := s.replica(); p != nil {
		return fmt.Errorf("larder: redisstore.Open: %w: %w", errUnavailable, p)
	}
	return nil
}
