package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"github.com/redis/go-redis/v9"
)

const (
	// tripKeys, tripCalls and tripSize bound the keys, commands and bytes of one trip, so
	// that a large operation is several trips, each of which has the time that any
	// operation has, and holds up no other for long.
	tripKeys  = 1000
	tripCalls = 500
	tripSize  = 1 << 20
)

// run sends calls in one round trip for each server concerned, or in several if they are
// many, and returns the first error. Each call's cmd has its own: what one call asks for
// may be done although another has failed. A script that a server does not have is sent
// again in full.
func (s *Space) run(ctx context.Context, calls ...*call) error {
	if err := s.ready(ctx); err != nil {
		return err
	}
	if fits(calls) {
		return s.runTrip(ctx, calls)
	}
	t := tally{space: s, servers: map[*server]*strikes{}}
	for part := range trips(calls) {
		t.run(ctx, part, s.runTrip)
	}
	return t.err(len(calls))
}

// fits reports whether calls can go in one trip.
func fits(calls []*call) bool {
	n := 0
	for range trips(calls) {
		n++
	}
	return n <= 1
}

// trips divides calls.
func trips(calls []*call) iter.Seq[[]*call] {
	return func(yield func([]*call) bool) {
		first, keys, size := 0, 0, 0
		for i, c := range calls {
			n, b := moved(c.cmd)
			if i > first && (keys+n >= tripKeys || size+b > tripSize || i-first == tripCalls) {
				if !yield(calls[first:i]) {
					return
				}
				first, keys, size = i, 0, 0
			}
			keys, size = keys+n, size+b
		}
		if first < len(calls) {
			yield(calls[first:])
		}
	}
}

// tally is how the trips of one operation went: a server that does not answer is not asked
// for each of them.
type tally struct {
	space   *Space
	servers map[*server]*strikes
	failed  int
	first   error
}

// strikes says in how many trips, one after the other, a server has failed.
type strikes struct {
	row int
	err error
}

// out reports whether a server is not asked any more.
func (s *strikes) out() bool { return s.row > 1 }

// run makes one of the trips.
func (t *tally) run(ctx context.Context, calls []*call, send func(context.Context, []*call) error) {
	asked := make(map[*server]error)
	part := make([]*call, 0, len(calls))
	servers := make([]*server, 0, len(calls))
	for _, c := range calls {
		server, err := t.space.servers.of(ctx, t.space, firstKey(c.cmd))
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err == nil {
			if known := t.servers[server]; known != nil && known.out() {
				err = known.err
			}
		}
		if err != nil {
			c.fail(ctx, err)
			t.fail(err)
			continue
		}
		part, servers = append(part, c), append(servers, server)
	}
	if len(part) == 0 {
		return
	}
	err := send(ctx, part)
	for i, c := range part {
		err1 := c.cmd.Err()
		switch {
		case err1 == redis.Nil:
			err1 = nil
		case err1 == nil && c.cmd.Val() == nil && err != nil: // was not sent
			err1 = err
			c.fail(ctx, err)
		}
		if err1 != nil {
			t.fail(fmt.Errorf("%w: %w", errUnavailable, err1))
		}
		if old, twice := asked[servers[i]]; !twice || failure(old) && !failure(err1) {
			asked[servers[i]] = err1
		}
	}
	for server, err := range asked {
		at := t.servers[server]
		if at == nil {
			at = &strikes{}
			t.servers[server] = at
		}
		if failure(err) {
			at.row, at.err = at.row+1, fmt.Errorf("%w: %w", errUnavailable, err)
		} else {
			at.row = 0
		}
	}
}

func (t *tally) fail(err error) {
	t.failed++
	t.first = cmp.Or(t.first, err)
}

// err returns the first error, and how many of all calls have one.
func (t *tally) err(of int) error {
	if t.first == nil {
		return nil
	}
	return fmt.Errorf("%d of %d commands have failed: %w", t.failed, of, t.first)
}

// fail makes err the only result of a call.
func (c *call) fail(ctx context.Context, err error) {
	args := c.cmd.Args()
	c.cmd = redis.NewCmd(ctx, args...)
	c.cmd.SetErr(err)
}
