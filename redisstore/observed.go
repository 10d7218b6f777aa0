package redisstore

import (
	"context"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// tripHook lets the breaker of one master of a cluster know how trips to it go. A trip
// of the space may be trips to several.
type tripHook struct {
	space *Space
	addr  string
}

// watchMasters has the breakers of the masters of a cluster know of its trips.
func (s *Space) watchMasters() {
	if cluster, ok := s.rdb.(*redis.ClusterClient); ok {
		cluster.OnNewNode(func(c *redis.Client) { c.AddHook(tripHook{s, c.Options().Addr}) })
	}
}

// DialHook hints at a server to which a connection could be made.
func (h tripHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := next(ctx, network, addr)
		if m, ok := h.space.servers.masters.Load(h.addr); ok && err == nil {
			m.(*server).breaker.hint()
		}
		return c, err
	}
}

func (h tripHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmd)
		h.took(ctx, time.Since(began), err, cmd)
		return err
	}
}

func (h tripHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		began := time.Now()
		err := next(ctx, cmds)
		h.took(ctx, time.Since(began), err, cmds...)
		return err
	}
}

// took notes a trip. Of those that the client makes by itself, and of probes, it says
// nothing.
func (h tripHook) took(ctx context.Context, d time.Duration, err error, cmds ...redis.Cmder) {
	caller, ok := ctx.Value(callerKey{}).(context.Context)
	if !ok || caller == h.space.servers.probers.ctx {
		return
	}
	keys, size := 0, 0
	key := ""
	for _, c := range cmds {
		switch c.Name() {
		case "cluster", "command":
			return
		case "wait": // for replicas
			d = 0
			continue
		}
		n, b := moved(c)
		keys, size = keys+n, size+b
		if key == "" {
			key = firstKey(c)
		}
		if e := c.Err(); failure(e) && e != redis.Nil && !failure(err) {
			err = e
		}
	}
	if gone, _ := lost(err); gone {
		return // it may be sent again: see tookLost
	}
	if errors.Is(err, redis.Nil) {
		err = nil
	}
	h.space.servers.at(h.space, h.addr, key).breaker.took(caller, d, keys, size, err)
}

// tookLost notes which masters of a cluster have answered nothing, although that was asked
// for on another connection too.
func (s *Space) tookLost(ctx context.Context, d time.Duration, calls []*call) {
	var told []*server
	for _, c := range calls {
		if gone, _ := lost(c.cmd.Err()); !gone {
			continue
		}
		if server, err := s.servers.of(ctx, s, firstKey(c.cmd)); err == nil && !slices.Contains(told, server) {
			told = append(told, server)
			server.breaker.took(ctx, d, 0, 0, c.cmd.Err())
		}
	}
}

// moved returns how many keys a command is about, and about how many bytes it has moved.
func moved(cmd redis.Cmder) (keys, size int) {
	args := cmd.Args()
	switch cmd.Name() {
	case "eval", "evalsha":
		keys, _ = args[2].(int)
	case "wait":
		return 0, 0
	default:
		keys = len(args) - 1
	}
	for _, a := range args {
		if s, ok := a.(string); ok {
			size += len(s)
		}
	}
	c, ok := cmd.(*redis.Cmd)
	if !ok {
		return keys, size
	}
	switch v := c.Val().(type) {
	case string:
		size += len(v)
	case []any:
		for _, e := range v {
			if s, ok := e.(string); ok {
				size += len(s)
			}
		}
	}
	return keys, size
}

// movedBy is moved for calls.
func movedBy(calls []*call) (keys, size int) {
	for _, c := range calls {
		n, b := moved(c.cmd)
		keys, size = keys+n, size+b
	}
	return keys, size
}

// firstKey returns the first key of a command of ours.
func firstKey(cmd redis.Cmder) string {
	i := 1
	if cmd.Name() == "eval" || cmd.Name() == "evalsha" {
		i = 3
	}
	if args := cmd.Args(); i < len(args) {
		key, _ := args[i].(string)
		return key
	}
	return ""
}
