package main

import (
	"context"

	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
	"github.com/spf13/pflag"
)

// place says which space on which server, and which store in it.
type place struct{ redis, space, store string }

func (p *place) flags(f *pflag.FlagSet) {
	f.StringVar(&p.redis, "redis", "", "`server` of the space: a redis:// or rediss:// URL, host:port, or several host:port of a cluster separated by commas (required)")
	f.StringVar(&p.space, "space", "", "`name` of the space, as it was given to redisstore.Open (required)")
}

func (p *place) storeFlag(f *pflag.FlagSet) {
	f.StringVar(&p.store, "store", "", "`name` of the store that has the key, as it was given to redisstore.New")
}

// check returns where the place is, or an error that names the first flag that makes
// no sense.
func (p *place) check() (target server.Target, err error) {
	switch {
	case p.redis == "":
		return target, usageError("--redis is missing: it must name the server of the space")
	case p.redis == "spawn" || p.redis == "spawn-cluster":
		return target, usageError("--redis is %s: a server of our own has no space", p.redis)
	case p.space == "":
		return target, usageError("--space is missing: it must name the space, as it was given to redisstore.Open")
	}
	if target, err = server.ParseTarget(p.redis); err != nil {
		return target, usageError("--redis: %w", err)
	}
	nowhere := redis.NewClient(&redis.Options{}) // nobody is asked yet
	defer nowhere.Close()
	if _, err := redisstore.NewInspector(nowhere, p.space); err != nil {
		return target, usageError("--space is %q: use letters, digits, '_', '-' and '.'", p.space)
	}
	return target, nil
}

// open connects to the server, which the caller must close, and looks at the space.
func (p *place) open(ctx context.Context, target server.Target) (*server.Server, *redisstore.Inspector, error) {
	on, err := target.Open(ctx)
	if err != nil {
		return nil, nil, err
	}
	look, err := redisstore.NewInspector(on.Client, p.space)
	if err != nil {
		on.Close()
		return nil, nil, err
	}
	return on, look, nil
}
