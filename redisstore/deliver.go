package redisstore

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// deliver sends calls, and once more those of which nothing was heard because their
// connection was lost. All commands of a space may be executed twice: see ADR 0020.
func deliver(ctx context.Context, rdb redis.UniversalClient, calls []*call) {
	repeated := false
	for range attempts {
		send(ctx, rdb, calls)
		before := repeated
		var again []*call
		for _, c := range calls {
			if gone, sent := lost(c.cmd.Err()); gone {
				if sent && before {
					return
				}
				again = append(again, c)
				repeated = repeated || sent
			}
		}
		if again == nil || over(ctx) {
			return
		}
		calls = withOthers(calls, again)
		for _, c := range calls { // a command keeps its first error, whatever becomes of it the second time
			c.cmd = newCmd(ctx, c.cmd.Args()...)
		}
	}
}

// withOthers returns those of calls that have to be sent again if some have: all, if what
// proves the replies to the others is among those, or is missing there. Otherwise those,
// and what is about the calls before it.
func withOthers(calls, again []*call) []*call {
	if len(again) == len(calls) {
		return calls
	}
	proven := false
	all := wantsProof(again)
	for _, c := range slices.Backward(calls) {
		if !slices.Contains(again, c) && !c.free {
			all = all || !c.proves && !proven
			proven = proven || c.proves
		}
	}
	if all {
		return calls
	}
	for _, c := range calls {
		if c.wait && !slices.Contains(again, c) {
			again = append(again, c)
		}
	}
	return again
}

// persist is deliver for what f sends, all of which fails or nothing.
func persist(ctx context.Context, f func() error) (err error) {
	repeated := false
	for range attempts {
		if err = f(); err == nil {
			return nil
		}
		gone, sent := lost(err)
		if !gone || sent && repeated || over(ctx) {
			return err
		}
		repeated = repeated || sent
	}
	return err
}

// attempts bounds how many connections are tried of which it is known that nothing was
// sent on them.
const attempts = 100
