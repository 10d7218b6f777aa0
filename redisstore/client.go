package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// ownClient returns a client of our own to where rdb leads, with the limits of
// a cache: no command takes much longer than patience, and none is tried again by
// the client, whose default is to wait ten seconds for a server that does not answer, and
// to observe no deadline. Its connections have buffers of as many bytes, at most, for what
// is sent and as many for what is read.
func (s *Space) ownClient(rdb redis.UniversalClient, buffers int, patience func() time.Duration) (client redis.UniversalClient, own bool, err error) {
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		o := *c.Options()
		if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
			return nil, false, errors.New("larder: redisstore.Open: the client reads from replicas, which lag behind invalidations: set ReadOnly, RouteByLatency and RouteRandomly of ClusterOptions to false")
		}
		o.ContextTimeoutEnabled, o.MaxRetries, o.ReadTimeout, o.WriteTimeout = true, -1, backstop, backstop
		o.MinRetryBackoff, o.MaxRetryBackoff = time.Millisecond, 8*time.Millisecond
		o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, noNotifications()
		o.ReadBufferSize, o.WriteBufferSize = min(o.ReadBufferSize, buffers), min(o.WriteBufferSize, buffers)
		newNode := o.NewClient
		if newNode == nil {
			newNode = redis.NewClient
		}
		o.NewClient = func(node *redis.Options) *redis.Client {
			l, linked := s.newLink(node.Addr, node, patience)
			made := newNode(linked)
			made.AddHook(hurry{patience})
			return l.serves(made)
		}
		return redis.NewClusterClient(&o), true, nil
	case *redis.Client:
		l, linked := s.newLink("", c.Options(), patience)
		linked.ReadBufferSize, linked.WriteBufferSize = min(linked.ReadBufferSize, buffers), min(linked.WriteBufferSize, buffers)
		return l.serves(redis.NewClient(linked)), true, nil
	}
	return nil, false, fmt.Errorf("larder: redisstore.Open: a client of type %T", rdb) // known has refused it
}

// hurry gives commands a deadline that the client of a cluster sends by itself, such as to
// learn the layout, and has it not try again what has no time left: each attempt could
// wait for a connection.
type hurry struct{ patience func() time.Duration }

func (hurry) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h hurry) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if by, ok := ctx.Deadline(); !ok {
			ctx = budget{ctx, time.Now().Add(h.patience())}
		} else if !time.Now().Before(by) {
			return errLate
		}
		return next(ctx, cmd)
	}
}

func (hurry) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if by, ok := ctx.Deadline(); ok && !time.Now().Before(by) {
			return errLate
		}
		return next(ctx, cmds)
	}
}

// errLate is lateError for who asks no server.
var errLate = fmt.Errorf("%v", lateError{})

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

// callerKey is the key of the context that a budget was made of.
type callerKey struct{}

func (b budget) Value(key any) any {
	if key == (callerKey{}) {
		return b.Context
	}
	return b.Context.Value(key)
}

// call is a command with its result. That of a script is EVALSHA.
type call struct {
	script *script
	keys   []string
	args   []any
	cmd    *redis.Cmd
	wait   bool // it is about the calls before it, and is sent again with them
	proof  bool // so is this: see proof
	proves bool // only a primary carries it out, or it says itself that it has not
	free   bool // nothing depends on its reply
}

func (s *script) call(ctx context.Context, keys []string, args ...any) *call {
	c := &call{script: s, keys: keys, args: args, proves: s.writes}
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
	c.cmd = newCmd(ctx, append(args, c.args...)...)
}

// command returns the call of a plain command.
func command(ctx context.Context, args ...any) *call { return &call{cmd: newCmd(ctx, args...)} }

// newCmd is redis.NewCmd of a command about which a client for clusters need not ask the
// servers: otherwise it does so by COMMAND, and again with each command if the user may
// not call that.
func newCmd(ctx context.Context, args ...any) *redis.Cmd {
	cmd := redis.NewCmd(ctx, args...)
	cmd.SetStepCount(1)
	return cmd
}

// runTrip is run for calls that fit in one trip.
func (s *Space) runTrip(ctx context.Context, calls []*call) error {
	if s.leaves(ctx) {
		return s.runAside(ctx, calls)
	}
	return s.runOn(ctx, s.rdb, s.pace.bound(), calls)
}

// runOn is run on one of the masters, within a timeout of its own. It is a Trip.
func (s *Space) runOn(ctx context.Context, master redis.UniversalClient, timeout time.Duration, calls []*call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	keys, size := movedBy(calls)
	began := time.Now()
	err := s.ask(ctx, master, timeout+work(keys, size), calls)
	took := time.Since(began)
	keys, size = movedBy(calls)
	s.trip(keys, took, err)
	if err == nil && timeout > s.pace.bound() {
		took = 0 // it has waited for replicas
	}
	if s.lanes == 1 { // otherwise see tripHook
		s.servers.single.breaker.took(ctx, took, keys, size, err)
	} else if err != nil {
		s.tookLost(ctx, took, calls)
	}
	return err
}

// leaves reports whether a caller has to be able to leave while a command of its own is
// under way, which costs a goroutine since the client does not notice that: when the
// last trip has failed or was slow. Otherwise one takes no time worth mentioning.
func (s *Space) leaves(ctx context.Context) bool {
	return s.servers.wary.Load() > 0 && ctx.Done() != nil
}

// runAside is run on a goroutine that goes on when the caller has left, with commands
// of its own.
func (s *Space) runAside(ctx context.Context, calls []*call) error {
	own := make([]*call, len(calls))
	for i, c := range calls {
		copied := *c
		own[i] = &copied
	}
	done := make(chan error, 1)
	go func() { done <- s.runOn(ctx, s.rdb, s.pace.bound(), own) }()
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
	if err := s.agreement.err(); err != nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return nil
}

// run sends calls within a timeout: to each master of a cluster by itself, as one that does
// not answer has nothing to do with the others. In one pipeline, go-redis forgets what some
// have answered when another has not.
func run(ctx context.Context, rdb redis.UniversalClient, timeout time.Duration, calls []*call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx = budget{ctx, time.Now().Add(timeout)}
	parts := byMaster(ctx, rdb, calls)
	var others sync.WaitGroup
	for i, part := range parts {
		if i < len(parts)-1 {
			others.Go(func() { runPart(ctx, rdb, part) })
		} else {
			runPart(ctx, rdb, part)
		}
	}
	others.Wait()
	var first error
	for _, c := range calls {
		if err := c.cmd.Err(); err != nil && err != redis.Nil && first == nil && (!c.proof || refutes(err)) {
			first = fmt.Errorf("%w: %w", errUnavailable, err)
		}
	}
	relearn(ctx, rdb, first)
	return first
}

// byMaster divides calls by the master that has their keys, if rdb is a cluster.
func byMaster(ctx context.Context, rdb redis.UniversalClient, calls []*call) (parts [][]*call) {
	cluster, ok := rdb.(*redis.ClusterClient)
	if !ok || len(calls) == 1 {
		return [][]*call{calls}
	}
	at := map[*redis.Client]int{}
	for _, c := range calls {
		master, err := cluster.MasterForKey(ctx, firstKey(c.cmd))
		if err != nil {
			c.cmd.SetErr(err)
			continue
		}
		i, ok := at[master]
		if !ok {
			i = len(parts)
			at[master], parts = i, append(parts, nil)
		}
		parts[i] = append(parts[i], c)
	}
	return parts
}

// runPart sends calls in one pipeline, and those again whose script the server does not
// have.
func runPart(ctx context.Context, rdb redis.UniversalClient, calls []*call) {
	deliver(ctx, rdb, calls)
	var again []*call
	for _, c := range calls {
		if c.script != nil && redis.HasErrorPrefix(c.cmd.Err(), "NOSCRIPT") {
			again = append(again, c)
		}
	}
	if again == nil {
		return
	}
	again = withOthers(calls, again)
	for _, c := range again {
		if c.script != nil {
			c.make(ctx, "eval", c.script.src)
		}
	}
	deliver(ctx, rdb, again)
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

// text returns the result as a string, of a list its first.
func (c *call) text() string {
	v := c.cmd.Val()
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	s, _ := v.(string)
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
