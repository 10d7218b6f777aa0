package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ownClient returns a client of our own to where rdb leads, with the limits of
// a cache: no command takes much longer than timeout, and none is tried again.
// By default go-redis waits ten seconds for a server that does not answer, and
// observes no deadline. A client of another type is used as it is.
func (s *Space) ownClient(rdb redis.UniversalClient, timeout time.Duration) (client redis.UniversalClient, own bool, err error) {
	switch c := rdb.(type) {
	case nil:
		return nil, false, errors.New("larder: redisstore.Open: the client is nil")
	case *redis.Ring:
		return nil, false, errors.New("larder: redisstore.Open: a redis.Ring cannot be used: when one of its servers comes back, so do the values that were invalidated while it was away; use Redis Cluster or Sentinel")
	case *redis.ClusterClient:
		o := *c.Options()
		if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return nil, false, errors.New("larder: redisstore.Open: the client reads from replicas, which lag behind invalidations: set ReadOnly, RouteByLatency and RouteRandomly of ClusterOptions to false")
		}
		o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries = true, -1, 1
		o.ReadTimeout, o.WriteTimeout, o.PoolTimeout, o.DialTimeout = timeout+s.replicas.wait(), timeout, timeout, timeout
		o.MinRetryBackoff, o.MaxRetryBackoff = time.Millisecond, 8*time.Millisecond
		o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, noNotifications()
		o.Protocol = 2 // nothing is pushed to these connections, so nobody need look
		newNode := o.NewClient
		if newNode == nil {
			newNode = redis.NewClient
		}
		o.NewClient = func(node *redis.Options) *redis.Client {
			node.OnConnect = s.onConnect(node.Addr, node.OnConnect)
			node.MaxConcurrentDials = maxDials
			s.connections.dialsTo(node.Addr, node)
			return newNode(node)
		}
		return redis.NewClusterClient(&o), true, nil
	case *redis.Client:
		o := *c.Options()
		o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries = true, -1, 1
		o.ReadTimeout, o.WriteTimeout, o.PoolTimeout, o.DialTimeout = timeout+s.replicas.wait(), timeout, timeout, timeout
		o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, noNotifications()
		o.Protocol = 2                                        // nothing is pushed to these connections, so nobody need look
		o.ClientSideCache, o.ClientSideCacheConfig = nil, nil // it would serve old versions of tags
		dial := o.Dialer                                      // made for the user's DialTimeout
		o.Dialer = s.connections.dials("", func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			return dial(ctx, network, addr)
		})
		o.OnConnect = s.onConnect("", o.OnConnect)
		o.MaxConcurrentDials = maxDials
		return redis.NewClient(&o), true, nil
	}
	return rdb, false, nil
}

// maxDials bounds the connections that are made to a server at once. Each costs it
// more than the command it is for, so when it is too slow for the timeout, many would
// keep it so.
const maxDials = 2

func noNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// budget bounds one operation by a deadline, without a timer: the client needs
// only to know the deadline.
type budget struct {
	context.Context
	by time.Time
}

func (b budget) Deadline() (time.Time, bool) {
	if d, ok := b.Context.Deadline(); ok && d.Before(b.by) {
		return d, true
	}
	return b.by, true
}

// call is a command with its result. That of a script is EVALSHA.
type call struct {
	script *script
	keys   []string
	args   []any
	cmd    *redis.Cmd
	wait   bool // it is about the calls before it, and is sent again with them
}

func (s *script) call(ctx context.Context, keys []string, args ...any) *call {
	c := &call{script: s, keys: keys, args: args}
	c.renew(ctx)
	return c
}

// renew makes the command of a script anew, to be sent again.
func (c *call) renew(ctx context.Context) { c.make(ctx, "evalsha", c.script.sha) }

func (c *call) make(ctx context.Context, verb, program string) {
	args := make([]any, 0, 3+len(c.keys)+len(c.args))
	args = append(args, verb, program, len(c.keys))
	for _, k := range c.keys {
		args = append(args, k)
	}
	c.cmd = redis.NewCmd(ctx, append(args, c.args...)...)
}

// command returns the call of a plain command.
func command(ctx context.Context, args ...any) *call { return &call{cmd: redis.NewCmd(ctx, args...)} }

// about returns how many keys the call has.
func (c *call) about() int {
	if c.script == nil && !c.wait {
		return len(c.cmd.Args()) - 1
	}
	return len(c.keys)
}

// run sends calls in one round trip for each server concerned and returns the
// first error. Each call's cmd has its own. A script that a server does not
// have is sent again in full.
func (s *Space) run(ctx context.Context, calls ...*call) error {
	if err := s.usable(); err != nil {
		return err
	}
	if s.leaves(ctx) {
		return s.runAside(ctx, calls)
	}
	return s.runOn(ctx, s.rdb, s.timeout, calls)
}

// runOn is run on one of the masters, within a timeout of its own. It is a Trip.
func (s *Space) runOn(ctx context.Context, master redis.UniversalClient, timeout time.Duration, calls []*call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	began := time.Now()
	err := run(ctx, master, timeout, calls)
	took := time.Since(began)
	keys, size := 0, 0
	for _, c := range calls {
		keys += c.about()
		size += c.size()
	}
	s.trip(keys, took, err)
	if err == nil && timeout > s.timeout {
		took = 0 // it has waited for replicas
	}
	s.breaker.took(ctx, took, size, err)
	return err
}

// leaves reports whether a caller has to be able to leave while a command of its own is
// under way, which costs a goroutine since the client does not notice that: when the
// last trip has failed or was slow. Otherwise one takes no time worth mentioning.
func (s *Space) leaves(ctx context.Context) bool { return s.breaker.wary.Load() && ctx.Done() != nil }

// runAside is run on a goroutine that goes on when the caller has left, with commands
// of its own.
func (s *Space) runAside(ctx context.Context, calls []*call) error {
	own := make([]*call, len(calls))
	for i, c := range calls {
		copied := *c
		own[i] = &copied
	}
	done := make(chan error, 1)
	go func() { done <- s.runOn(ctx, s.rdb, s.timeout, own) }()
	select {
	case err := <-done:
		for i, c := range calls {
			*c = *own[i]
		}
		return err
	case <-ctx.Done():
		for _, c := range calls {
			c.cmd = redis.NewCmd(ctx)
			c.cmd.SetErr(ctx.Err())
		}
		return ctx.Err()
	}
}

// usable returns why the space cannot be used.
func (s *Space) usable() error {
	if s.closed.Load() {
		return errClosed
	}
	if err := s.refused.Load(); err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, *err)
	}
	return nil
}

func run(ctx context.Context, rdb redis.UniversalClient, timeout time.Duration, calls []*call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = budget{ctx, time.Now().Add(timeout)}
	send(ctx, rdb, calls)
	var again []*call
	var first error
	for _, c := range calls {
		if c.script != nil && redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT") {
			c.make(ctx, "eval", c.script.src)
			again = append(again, c)
		}
	}
	if again != nil {
		for _, c := range calls {
			if c.wait {
				again = append(again, c)
			}
		}
		send(ctx, rdb, again)
	}
	for _, c := range calls {
		if err := c.cmd.Err(); err != nil && err != redis.Nil && first == nil {
			first = fmt.Errorf("%w: %w", errUnavailable, err)
		}
	}
	relearn(ctx, rdb, first)
	return first
}

// relearn has a cluster's layout read again after a node did not answer: go-redis
// does so only when a node answers that a slot has moved, or every ten seconds.
// It happens in the background, once at a time, and while it succeeds five times a
// second at most.
func relearn(ctx context.Context, rdb redis.UniversalClient, err error) {
	cluster, ok := rdb.(*redis.ClusterClient)
	var reply redis.Error
	if ok && err != nil && !errors.As(err, &reply) && !errors.Is(err, context.Canceled) {
		cluster.ReloadState(ctx)
	}
}

func send(ctx context.Context, rdb redis.UniversalClient, calls []*call) {
	if len(calls) == 1 {
		rdb.Process(ctx, calls[0].cmd)
		return
	}
	p := rdb.Pipeline()
	for _, c := range calls {
		p.Process(ctx, c.cmd)
	}
	p.Exec(ctx) // each command has its own error
}

// text returns the result as a string.
func (c *call) text() string {
	s, _ := c.cmd.Val().(string)
	return s
}

// pairs returns a result that is a map, in whichever protocol.
func (c *call) pairs() map[string]string {
	out := map[string]string{}
	put := func(k, v any) {
		if k, ok := k.(string); ok {
			out[k], _ = v.(string)
		}
	}
	switch all := c.cmd.Val().(type) {
	case map[any]any:
		for k, v := range all {
			put(k, v)
		}
	case []any:
		for i := 0; i+1 < len(all); i += 2 {
			put(all[i], all[i+1])
		}
	}
	return out
}

// numbers returns the result as numbers.
func (c *call) numbers() []int64 {
	list, _ := c.cmd.Val().([]any)
	out := make([]int64, len(list))
	for i, v := range list {
		out[i], _ = v.(int64)
	}
	return out
}

// strings returns the result as strings; what is missing is "".
func (c *call) strings() []string {
	list, _ := c.cmd.Val().([]any)
	out := make([]string, len(list))
	for i, v := range list {
		out[i], _ = v.(string)
	}
	return out
}
