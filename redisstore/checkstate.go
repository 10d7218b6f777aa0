package redisstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

const (
	checkTrips = 9
	// clockMost is how far clocks may be apart before it is mentioned.
	clockMost = 2 * time.Second
)

// latency measures round trips.
func (c *checker) latency(ctx context.Context, n node, key probe) {
	var took []time.Duration
	for range checkTrips {
		began := time.Now()
		err := answer(ctx, func(ctx context.Context) error { return n.rdb.Do(ctx, "mget", key.value).Err() })
		if err != nil && !isReply(err) {
			c.report.problem(n.addr, "latency", *c.connection(n, err))
			return
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	median, most := took[len(took)/2], took[len(took)-1]
	var p pace // of a space that has measured this
	p.timeout, p.slow = c.space.pace.timeout, c.space.pace.slow
	p.trip.Store(int64(median))
	bound, slow, lease := p.bound(), p.slowness(), c.space.lease
	detail := fmt.Sprintf("round trip %s, at most %s of %d; a command may take %s, and is slow after %s", brief(median), brief(most), len(took), brief(bound), brief(slow))
	problem := func(option, effect string) *cache.Problem {
		return &cache.Problem{Code: ProblemFar, Subject: "Options." + option, Effect: effect,
			Remedy: fmt.Sprintf("use a server that is nearer, or set Options.%s to %v or more", option, roundUp(8*median))}
	}
	switch {
	case 2*median > bound:
		c.report.add(n.addr, "latency", VerdictProblem, detail, problem("Timeout", "commands do not end in time: "+nothingRead))
	case median > slow:
		c.report.add(n.addr, "latency", VerdictProblem, detail, problem("Slow", "eight such trips in a row open the breaker, and reads go to the origin"))
	case 2*median > lease/2:
		c.report.add(n.addr, "latency", VerdictProblem, detail, problem("Lease", "memory is not served for most of the time, as a lease is over before it can be renewed"))
	case most > slow:
		c.report.add(n.addr, "latency", VerdictWarning, detail, problem("Slow", "some trips are slow; eight in a row, or a half of 64, open the breaker"))
	default:
		c.report.ok(n.addr, "latency", detail)
	}
}

// roundUp returns d in a round number of milliseconds.
func roundUp(d time.Duration) time.Duration {
	const step = 50 * time.Millisecond
	return (d + step - 1) / step * step
}

// clock compares the server's clock with ours.
func (c *checker) clock(ctx context.Context, n node) {
	var at time.Time
	began := time.Now()
	err := answer(ctx, func(ctx context.Context) (err error) {
		at, err = n.rdb.Time(ctx).Result()
		return err
	})
	if err != nil {
		c.report.unknown(n.addr, "clock", "TIME may not be called")
		return
	}
	trip := time.Since(began)
	ahead := at.Sub(began.Add(trip / 2))
	detail := fmt.Sprintf("the server is %s ahead", brief(ahead))
	if ahead < 0 {
		detail = fmt.Sprintf("the server is %s behind", brief(-ahead))
	}
	if ahead.Abs() > clockMost+trip {
		c.report.warn(n.addr, "clock", detail, cache.Problem{
			Code: ProblemClock, Subject: "clock", Effect: "times of the server in logs and in larder inspect are not those of this machine",
			Remedy: "have both machines set their clocks by NTP",
		})
		return
	}
	c.report.ok(n.addr, "clock", detail)
}

// setting returns a setting of the server: what INFO says, else what CONFIG does. It
// returns false if neither may be asked.
func (c *checker) setting(ctx context.Context, n node, info map[string]string, field, name string) (string, bool) {
	if v, ok := info[field]; ok && field != "" {
		return v, true
	}
	var got map[string]string
	err := answer(ctx, func(ctx context.Context) (err error) {
		got, err = n.rdb.ConfigGet(ctx, name).Result()
		return err
	})
	v, ok := got[name]
	return v, ok && err == nil
}

// memory looks at what the server does when its memory is full.
func (c *checker) memory(ctx context.Context, n node, info map[string]string) {
	policy, ok := c.setting(ctx, n, info, "maxmemory_policy", "maxmemory-policy")
	limit, ok2 := c.setting(ctx, n, info, "maxmemory", "maxmemory")
	if !ok || !ok2 {
		c.report.unknown(n.addr, "eviction", "neither INFO nor CONFIG GET tells the policy; it should be allkeys-lru or volatile-lru")
		return
	}
	bytes, _ := strconv.ParseInt(limit, 10, 64)
	used, _ := strconv.ParseInt(info["used_memory"], 10, 64)
	detail := fmt.Sprintf("maxmemory %d, policy %s", bytes, policy)
	problem := func(effect string) cache.Problem {
		return cache.Problem{Code: ProblemEviction, Subject: policy, Effect: effect, Remedy: "set maxmemory-policy to allkeys-lru, or volatile-lru if the server keeps other data too"}
	}
	full := bytes > 0 && used*20 >= bytes*19
	switch {
	case policy == "volatile-ttl":
		c.report.add(n.addr, "eviction", VerdictProblem, detail, new(problem("a full server throws out first what lives shortest: fill tokens, so that loads are not stored, and the quarantines of writers")))
	case policy == "noeviction" && full:
		c.report.add(n.addr, "eviction", VerdictProblem, detail, new(problem("the server is full and throws out nothing: "+nothingStored)))
	case policy == "noeviction" && bytes > 0:
		c.report.warn(n.addr, "eviction", detail, problem("when the server is full nothing is stored until something expires"))
	case bytes == 0:
		p := problem("the server takes all the memory of its machine, and is killed when there is none left")
		p.Remedy = "set maxmemory, and maxmemory-policy to allkeys-lru or volatile-lru"
		c.report.warn(n.addr, "eviction", detail, p)
	case strings.HasSuffix(policy, "-random"):
		c.report.warn(n.addr, "eviction", detail, problem("a full server throws out fill tokens and the logs of invalidations as readily as values: that is safe, but costs loads, and memory that is dropped"))
	default:
		c.report.ok(n.addr, "eviction", detail)
	}
}

// replication looks at replicas.
func (c *checker) replication(n node, info map[string]string) {
	text, ok := info["connected_slaves"]
	if !ok {
		c.report.unknown(n.addr, "replication", "INFO does not tell of replicas")
		return
	}
	have, _ := strconv.Atoi(text)
	want := c.space.replicas.N
	detail := fmt.Sprintf("%d replicas, Options.Replicas.N is %d", have, want)
	switch {
	case have < want:
		c.report.add(n.addr, "replication", VerdictProblem, detail, &cache.Problem{
			Code: ProblemReplication, Subject: "Options.Replicas", Effect: "every invalidation fails, as fewer replicas than asked for can have it",
			Remedy: "add replicas, or lower Options.Replicas.N",
		})
	case have > want:
		c.report.warn(n.addr, "replication", detail, cache.Problem{
			Code: ProblemReplication, Subject: "Options.Replicas",
			Effect: "a replica that is promoted may lack the last invalidations: processes repeat what they have invalidated in the last 30 seconds, but until then old values may be served",
			Remedy: fmt.Sprintf("set Options.Replicas.N to %d if that matters: an invalidation then takes a round trip to the replicas more", have),
		})
	default:
		c.report.ok(n.addr, "replication", detail)
	}
}

// persistence looks at what the server would have after a restart.
func (c *checker) persistence(ctx context.Context, n node, info map[string]string) {
	save, ok := c.setting(ctx, n, nil, "", "save")
	if !ok {
		c.report.unknown(n.addr, "persistence", "CONFIG GET may not be called; snapshots bring old data back after a crash")
		return
	}
	aof, _ := c.setting(ctx, n, info, "aof_enabled", "appendonly")
	sync, _ := c.setting(ctx, n, nil, "", "appendfsync")
	on := aof == "1" || aof == "yes"
	detail := fmt.Sprintf("save %q, appendonly %v, appendfsync %s", save, on, sync)
	problem := func(effect, remedy string) cache.Problem {
		return cache.Problem{Code: ProblemPersistence, Subject: "save and appendonly", Effect: effect, Remedy: remedy}
	}
	switch {
	case on && sync != "always":
		c.report.warn(n.addr, "persistence", detail, problem(
			"after a crash the server may lack the invalidations of the last second or so: processes repeat what they have invalidated in the last 30 seconds, but until then old values may be served",
			"set appendonly to no and save to \"\" if the server is a cache only, or appendfsync to always"))
	case !on && save != "":
		c.report.warn(n.addr, "persistence", detail, problem(
			"after a crash the server has what it had at its last snapshot, minutes ago: processes repeat what they have invalidated in the last 30 seconds, but what was invalidated before, or by processes that have ended, may be served again",
			"set save to \"\" if the server is a cache only, or Options.Regress to Flush"))
	default:
		c.report.ok(n.addr, "persistence", detail)
	}
}

// settings looks at what the processes that use the space have in common.
func (c *checker) settings(ctx context.Context, rdb redis.UniversalClient) {
	if c.extent == rightsOnly || slices.ContainsFunc(c.report.Findings, func(f Finding) bool { return f.Need == "connection" && f.Verdict == VerdictProblem }) {
		return
	}
	var theirs string
	err := answer(ctx, func(ctx context.Context) (err error) {
		get := command(ctx, "hget", c.space.laneKey(0), "settings")
		rdb.Process(ctx, get.cmd)
		theirs = get.text()
		return get.cmd.Err()
	})
	ours := c.space.settings()
	switch {
	case err != nil && err != redis.Nil:
		c.report.unknown("", "settings", err.Error())
	case theirs != "" && theirs != ours:
		c.report.problem("", "settings", cache.Problem{
			Code: ProblemSettings, Subject: "settings", Effect: fmt.Sprintf("processes with other settings use the space, and a process with these uses nothing of it: there %q, here %q", theirs, ours),
			Remedy: "use another name, or end those processes",
		})
	case theirs == "":
		c.report.ok("", "settings", "nobody uses the space")
	default:
		c.report.ok("", "settings", ours)
	}
}
