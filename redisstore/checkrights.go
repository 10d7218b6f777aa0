package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/redis/go-redis/v9"
)

// probe is the names with which rights are tried, all in one slot. Only the first is ever
// a key, and for a moment.
type probe struct {
	value, refresh, tag, star, lane string
	channel                         string
	hash                            uint32
}

// probeOf returns new names in the slot of a lane, which need not be one of the space.
func probeOf(s *Space, lane int) probe {
	name := fmt.Sprintf("larder.check:%s%x", s.hashTag(lane), random(8))
	value := s.ns + ":v:" + name
	return probe{
		value: value, refresh: s.ns + ":l:" + name, tag: s.ns + ":t:" + name, star: s.ns + ":s:" + name, lane: s.ns + ":b:" + name,
		channel: s.channel(lane), hash: invalidation.Hash(value),
	}
}

// rights tries every command and every kind of key.
func (c *checker) rights(ctx context.Context, n node, p probe) {
	var tried []need
	for _, n := range needs {
		if n.where == nil || n.where(c.space) {
			tried = append(tried, n)
		}
	}
	set := answer(ctx, func(ctx context.Context) error {
		return n.rdb.Set(ctx, p.value, "probe", probeLife).Err()
	})
	if !isReply(set) && set != nil {
		c.report.problem(n.addr, "rights", *c.connection(n, set))
		return
	}
	pipe := n.rdb.Pipeline()
	replies := make([]*redis.Cmd, len(tried))
	for i, need := range tried {
		switch {
		case need.creates && set != nil: // it would leave something behind
		case need.command != "set":
			replies[i] = pipe.Do(ctx, append([]any{need.command}, need.args(p)...)...)
		}
	}
	kinds := c.kindsOfKeys(ctx, pipe, p)
	answer(ctx, func(ctx context.Context) error {
		_, err := pipe.Exec(ctx)
		return err // each command has its own
	})
	for i, need := range tried {
		err := set
		if need.command != "set" {
			if replies[i] == nil {
				c.report.unknown(n.addr, commandNeed(need.command), "it cannot be tried without SET")
				continue
			}
			err = replies[i].Err()
		}
		if need.command == "info" && denied(err) {
			c.rollback(ctx, n, need, err)
			continue
		}
		c.command(n, need, err)
	}
	c.kinds(n, kinds)
	if c.space.lanes == 1 {
		c.slots(ctx, n, p)
	}
}

func commandNeed(command string) string {
	return "command " + strings.ToUpper(strings.ReplaceAll(command, "|", " "))
}

func isReply(err error) bool {
	var reply redis.Error
	return errors.As(err, &reply)
}

// command notes the result of a command.
func (c *checker) command(n node, need need, err error) {
	about, subject := commandNeed(need.command), strings.ToUpper(need.command)
	switch d := denialOf(err); {
	case d == deniedCommand || d == missingCommand || d == deniedAccess:
		p := cache.Problem{Code: codeOf(err), Subject: subject, Effect: need.effect, Remedy: remedyOf(err, need.command), Err: err}
		c.report.problem(n.addr, about, p)
	case d == deniedChannel:
		c.report.problem(n.addr, about, c.space.channelProblem(err))
	case says(err, "OOM", "MISCONF", "READONLY", "NOREPLICAS"):
		code, _, _ := strings.Cut(err.Error(), " ")
		c.report.problem(n.addr, about, cache.Problem{
			Code: ProblemWrites, Subject: code, Effect: nothingStored + "; what is invalidated may fail",
			Remedy: "see why the server refuses to write: its memory, its disk, or its replicas", Err: err,
		})
	case err != nil && !isReply(err) && err != redis.Nil:
		c.report.problem(n.addr, about, *c.connection(n, err))
	default: // also if it is an error about the key: the user may call it
		c.report.ok(n.addr, about, "")
	}
}

// rollback notes that INFO cannot be asked. A script tells servers apart then, if the user
// may load one.
func (c *checker) rollback(ctx context.Context, n node, need need, err error) {
	byScript := answer(ctx, func(ctx context.Context) error {
		pipe := n.rdb.Pipeline()
		pipe.ScriptExists(ctx, noScript.sha)
		pipe.ScriptLoad(ctx, noScript.src)
		_, err := pipe.Exec(ctx)
		return err
	})
	if byScript == nil {
		c.report.ok(n.addr, commandNeed("info"), "it may not be called, and a script takes its place")
		return
	}
	p := blind(errors.Join(err, byScript))
	c.report.problem(n.addr, commandNeed("info"), p)
}

// keyKind is a kind of keys, with the results of a read and a write there.
type keyKind struct {
	pattern, what string
	read, write   redis.Cmder
}

func (c *checker) kindsOfKeys(ctx context.Context, pipe redis.Pipeliner, p probe) []keyKind {
	kinds := []keyKind{
		{pattern: "v", what: "values"}, {pattern: "t", what: "versions of tags"}, {pattern: "s", what: "versions of lanes"},
		{pattern: "b", what: "logs of invalidations"}, {pattern: "l", what: "refreshes"},
	}
	for i, key := range []string{p.value, p.tag, p.star, p.lane, p.refresh} {
		kinds[i].read = pipe.Do(ctx, "getrange", key, 0, 16)
		kinds[i].write = pipe.Do(ctx, "pexpire", key, probeLife.Milliseconds())
	}
	return kinds
}

func (c *checker) kinds(n node, kinds []keyKind) {
	for _, k := range kinds {
		pattern := c.space.ns + ":" + k.pattern + ":*"
		about := "keys " + pattern
		err := k.read.Err()
		if denialOf(err) != deniedKey {
			err = k.write.Err()
		}
		switch {
		case denialOf(err) == deniedKey:
			c.report.problem(n.addr, about, cache.Problem{
				Code: ProblemPermission, Subject: "keys " + pattern, Effect: nothingInvalidated,
				Remedy: "grant ~" + c.space.ns + ":*, to read and to write", Err: err,
			})
		case denied(k.read.Err()) || denied(k.write.Err()):
			c.report.unknown(n.addr, about, "it cannot be tried without GETRANGE and PEXPIRE")
		default:
			c.report.ok(n.addr, about, k.what)
		}
	}
}

// slots finds a proxy or a cluster that does not say it is one: it refuses a read of keys
// in several slots.
func (c *checker) slots(ctx context.Context, n node, p probe) {
	err := answer(ctx, func(ctx context.Context) error {
		args := []any{"mget"}
		for i := range 4 {
			args = append(args, fmt.Sprintf("%s:v:larder.check:%d", c.space.ns, i))
		}
		return n.rdb.Do(ctx, args...).Err()
	})
	switch {
	case denialOf(err) == crossSlot || says(err, "MOVED"):
		c.report.problem(n.addr, "keys of one command", clusterBehindOne(err))
	case err == nil:
		c.report.ok(n.addr, "keys of one command", "may be any")
	}
}

// clusterBehindOne is the problem of a client for single servers on a cluster.
func clusterBehindOne(err error) cache.Problem {
	return cache.Problem{
		Code: ProblemClusterMode, Subject: "redis.Client", Err: err,
		Effect: "the server is part of a cluster, and the client is one for single servers: nothing is read, stored or invalidated",
		Remedy: "use redis.NewClusterClient with this address, or redis.UniversalOptions.IsClusterMode; a service that shards behind one address without the commands of a cluster, such as the Enterprise policy of Azure, has to be set to its OSS cluster policy, or to no clustering",
	}
}

// notACluster is the problem of a client for clusters on a single server.
func notACluster(err error) cache.Problem {
	return cache.Problem{
		Code: ProblemClusterMode, Subject: "redis.ClusterClient", Err: err,
		Effect: "the client is one for clusters, and the server is in none: nothing is read, stored or invalidated",
		Remedy: "use redis.NewClient, or redis.NewFailoverClient behind Sentinel",
	}
}

// channel publishes and receives.
func (c *checker) channel(ctx context.Context, n node, p probe) {
	s := c.space
	verb := s.subscribes()
	about := commandNeed(verb)
	problem := func(err error) {
		p := cache.Problem{Code: codeOf(err), Subject: strings.ToUpper(verb), Effect: hearsLate, Remedy: remedyOf(err, verb), Err: err}
		if denialOf(err) == deniedChannel {
			p = s.channelProblem(err)
		}
		c.report.problem(n.addr, about, p)
	}
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	ps := n.rdb.Subscribe(ctx)
	defer ps.Close()
	var err error
	if s.lanes > 1 {
		err = ps.SSubscribe(ctx, p.channel)
	} else {
		err = ps.Subscribe(ctx, p.channel)
	}
	if err == nil {
		_, err = ps.ReceiveTimeout(ctx, checkPatience)
	}
	if err != nil {
		problem(err)
		return
	}
	c.report.ok(n.addr, about, "")
	message := wakeMessage([]uint32{p.hash})
	began := time.Now()
	if err := n.rdb.Do(ctx, s.publishes(), p.channel, message).Err(); err != nil {
		c.report.unknown(n.addr, "message", "it cannot be tried without "+strings.ToUpper(s.publishes()))
		return
	}
	for {
		got, err := ps.ReceiveTimeout(ctx, checkPatience)
		if m, ok := got.(*redis.Message); ok && m.Payload == message {
			c.report.ok(n.addr, "message", "heard after "+brief(time.Since(began)))
			return
		}
		if err != nil || ctx.Err() != nil {
			c.report.problem(n.addr, "message", cache.Problem{
				Code: ProblemConnection, Subject: "channel " + p.channel, Err: err, Effect: hearsLate,
				Remedy: "see why a message that was published does not arrive: a proxy may not pass on subscriptions",
			})
			return
		}
	}
}

func brief(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// codeOf returns the code of the problem that an error shows.
func codeOf(err error) cache.ProblemCode {
	switch denialOf(err) {
	case deniedCommand, deniedKey, deniedChannel:
		return ProblemPermission
	case deniedAccess:
		return ProblemAccess
	case missingCommand:
		return ProblemCommand
	case crossSlot:
		return ProblemClusterMode
	}
	return ProblemConnection
}

// remedyOf returns what to do that a command is not refused.
func remedyOf(err error, command string) string {
	switch denialOf(err) {
	case missingCommand:
		return "the server does not have it: end its rename-command, or use a server or service that has it"
	case deniedAccess:
		return "give the client the name and password of a user of the server"
	case deniedCommand:
		return "grant +" + strings.ToLower(command)
	}
	return "see what the server says"
}
