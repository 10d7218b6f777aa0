package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

const (
	// idlePatience is how long a connection that has idled may take to answer.
	idlePatience = 2 * time.Second
	// idleOfSpaces is how long a space lets a connection idle before it closes it.
	idleOfSpaces = time.Minute
)

// idle lets a connection to each primary do nothing for a while, uses it again, and adds
// to the report what has become of it.
func idle(ctx context.Context, rdb redis.UniversalClient, d time.Duration, report *redisstore.CheckReport) error {
	var mu sync.Mutex
	one := func(node string, o *redis.Options) {
		f := idleOne(ctx, *o, d)
		f.Node = node
		mu.Lock()
		defer mu.Unlock()
		report.Findings = append(report.Findings, f)
	}
	switch c := rdb.(type) {
	case *redis.Client:
		one("", c.Options())
	case *redis.ClusterClient:
		if err := c.ForEachMaster(ctx, func(_ context.Context, m *redis.Client) error {
			one(m.Options().Addr, m.Options())
			return nil
		}); err != nil && ctx.Err() == nil {
			report.Findings = append(report.Findings, redisstore.Finding{
				Need: idleNeed(d), Verdict: redisstore.VerdictUnknown, Detail: err.Error(),
			})
		}
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the check was not finished: %w", err)
	}
	return nil
}

func idleNeed(d time.Duration) string { return fmt.Sprintf("a connection that idles for %v", d) }

func idleOne(ctx context.Context, o redis.Options, d time.Duration) redisstore.Finding {
	f := redisstore.Finding{Need: idleNeed(d), Verdict: redisstore.VerdictOK, Detail: "it answers"}
	o.MaxRetries, o.DialerRetries, o.ContextTimeoutEnabled, o.PoolSize = -1, 1, true, 1
	o.ReadTimeout, o.WriteTimeout = idlePatience, idlePatience
	c := redis.NewClient(&o)
	defer c.Close()
	conn := c.Conn() // which is not looked at before it is used, as one of a pool is
	defer conn.Close()
	if err := conn.Ping(ctx).Err(); err != nil {
		f.Verdict, f.Detail = redisstore.VerdictUnknown, err.Error()
		return f
	}
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return f
	}
	began := time.Now()
	err := conn.Ping(ctx).Err()
	if err == nil {
		return f
	}
	p := &cache.Problem{
		Code: redisstore.ProblemConnection, Subject: "idle connections", Err: err,
		Effect: "the server, or something between, has ended it",
		Remedy: "let connections idle for longer than a minute, in the balancer, the firewall, or the setting timeout of the server",
	}
	if time.Since(began) >= idlePatience {
		p.Effect = "something between has forgotten it without a word"
	}
	if f.Problem = p; d > idleOfSpaces {
		f.Verdict, f.Detail = redisstore.VerdictWarning, "it is lost"
		p.Effect += "; a space closes connections that idle for a minute before that, but those of other clients fail"
	} else {
		f.Verdict, f.Detail = redisstore.VerdictProblem, ""
		p.Effect += "; after each pause the first commands have to be sent again, on new connections"
	}
	return f
}
