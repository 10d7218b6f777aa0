package redisstore

import "strings"

// need is a right that a space must have: to use a command.
type need struct {
	command string // as an ACL names it
	// args is the command after its name, to try it on a key of no importance.
	args func(p probe) []any
	// creates says that it would make a key if the probe were not there.
	creates bool
	reason  string // what it is for
	effect  string // what does not hold without it
	where   func(s *Space) bool
}

// The effects that several rights have in common.
const (
	nothingStored      = "nothing is stored in Redis, so every read that memory does not answer loads from the origin"
	nothingInvalidated = "nothing is stored in Redis or invalidated there, Mutate does not begin, and memory is not served"
	nothingRead        = "nothing is read from Redis: every read that memory does not answer loads from the origin"
	lockless           = "of the processes that miss a key at once, those that would wait for the load of another fail to reserve, and load too"
	heardLate          = "other processes hear of an invalidation by their heartbeats only, up to a lease later, and drop all of their memory for it; processes that wait for a load do not hear of its end"
	hearsLate          = "this process hears of an invalidation by its heartbeats only, up to a lease later, and drops all of its memory for it"
)

func inCluster(s *Space) bool  { return s.lanes > 1 }
func onOne(s *Space) bool      { return s.lanes == 1 }
func replicates(s *Space) bool { return s.replicas.N > 0 }

// needs are the rights that a space must have, but for those to its keys and channels.
// The probe is set before the other commands are tried.
var needs = []need{
	{command: "evalsha", args: func(p probe) []any { return []any{noScript.sha, 1, p.value} },
		reason: "all scripts", effect: nothingInvalidated},
	{command: "eval", args: func(p probe) []any { return []any{noScript.src, 1, p.value} },
		reason: "scripts that a server does not have yet", effect: nothingInvalidated},
	{command: "set", args: func(p probe) []any { return []any{p.value, "probe", "PX", probeLife.Milliseconds()} },
		reason: "values, fill tokens and versions of tags", effect: nothingStored},
	{command: "mget", args: func(p probe) []any { return []any{p.value} },
		reason: "every read", effect: nothingRead},
	{command: "get", args: func(p probe) []any { return []any{p.value} },
		reason: "values that a fill meets, and quarantines", effect: nothingStored},
	{command: "getrange", args: func(p probe) []any { return []any{p.value, 0, 16} },
		reason: "the kind of what is under a key", effect: nothingInvalidated},
	{command: "setrange", args: func(p probe) []any { return []any{p.value, 0, "P"} }, creates: true,
		reason: "the locks of loads", effect: lockless},
	{command: "append", args: func(p probe) []any { return []any{p.value, ""} }, creates: true,
		reason: "loads of linearizable loaders wait for replicas", effect: "the loads of linearizable loaders are not stored", where: replicates},
	{command: "pttl", args: func(p probe) []any { return []any{p.value} },
		reason: "how long a token still lives", effect: nothingStored},
	{command: "pexpire", args: func(p probe) []any { return []any{p.value, probeLife.Milliseconds()} },
		reason: "the lives of keys", effect: nothingInvalidated},
	{command: "hset", args: func(p probe) []any { return []any{p.value, "f", ""} }, creates: true,
		reason: "the logs of invalidations", effect: nothingInvalidated},
	{command: "hget", args: func(p probe) []any { return []any{p.value, "f"} },
		reason: "the logs of invalidations", effect: nothingInvalidated},
	{command: "hmget", args: func(p probe) []any { return []any{p.value, "f"} },
		reason: "loads whose tags are known only when they are done", effect: "what loads with late tags bring is not stored"},
	{command: "hdel", args: func(p probe) []any { return []any{p.value, "f"} },
		reason: "the logs of invalidations", effect: nothingInvalidated},
	{command: "hgetall", args: func(p probe) []any { return []any{p.value} },
		reason: "the list of processes", effect: "WaitCoherent waits for a lease each time, and processes that have died are not taken off the list"},
	{command: "time", args: func(probe) []any { return nil },
		reason: "the numbers that tell versions apart", effect: nothingInvalidated},
	{command: "publish", args: func(p probe) []any { return []any{p.channel, wakeMessage([]uint32{p.hash})} },
		reason: "other processes hear of invalidations at once", effect: heardLate, where: onOne},
	{command: "spublish", args: func(p probe) []any { return []any{p.channel, wakeMessage([]uint32{p.hash})} },
		reason: "other processes hear of invalidations at once", effect: heardLate, where: inCluster},
	{command: "info", args: func(probe) []any { return []any{"replication"} },
		reason: "a server that returns to an earlier state is noticed", effect: "the server may return to an earlier state, such as after a restart, and serve what was invalidated meanwhile"},
	{command: "wait", args: func(probe) []any { return []any{0, 1} },
		reason: "Options.Replicas", effect: "every invalidation fails, as it cannot be known that replicas have it", where: replicates},
	{command: "del", args: func(p probe) []any { return []any{p.value, p.refresh} },
		reason: "every invalidation", effect: nothingInvalidated},
}

// noScript is a script that does nothing.
var noScript = newScript("return 0")

// needOf returns the need of a command.
func needOf(command string) (need, bool) {
	for _, n := range needs {
		if strings.EqualFold(n.command, command) {
			return n, true
		}
	}
	return need{}, false
}

// subscribes returns the command that listens to the channel of a lane.
func (s *Space) subscribes() string {
	if s.lanes > 1 {
		return "ssubscribe"
	}
	return "subscribe"
}

// rights are those that a user must have, as ACL SETUSER takes them.
func (s *Space) rights() string {
	words := []string{"~" + s.ns + ":*", "&" + s.ns + ":*"}
	for _, n := range needs {
		if n.where == nil || n.where(s) {
			words = append(words, "+"+n.command)
		}
	}
	words = append(words, "+"+s.subscribes())
	if s.lanes > 1 {
		words = append(words, "+cluster|slots", "+asking")
	}
	if s.db != 0 {
		words = append(words, "+select")
	}
	return strings.Join(words, " ")
}
