package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/larder-cache/larder/invalidation"
	"github.com/redis/go-redis/v9"
)

// news is what is to be announced, by lane.
type news map[int]*payload

func (n *news) at(lane int) *payload {
	if *n == nil {
		*n = news{}
	}
	if (*n)[lane] == nil {
		(*n)[lane] = &payload{}
	}
	return (*n)[lane]
}

func (n news) lanes() []int { return slices.Sorted(maps.Keys(n)) }

// newsOfKeys returns the news of keys.
func (s *Space) newsOfKeys(keys []string) (n news) {
	for _, k := range keys {
		p := n.at(s.lane(k))
		p.keys = append(p.keys, invalidation.Hash(k))
	}
	return n
}

// head returns the arguments that all scripts with a message have in common.
func (s *Space) head(lane int, p *payload) []any {
	p.ack = s.coherent
	return []any{random(8), s.tagLife.Load(), s.channel(lane), s.publishes(), p.encode()}
}

// publishes returns the command that publishes on the channel of a lane.
func (s *Space) publishes() string {
	if s.lanes > 1 {
		return "spublish"
	}
	return "publish"
}

// announcements returns the calls that announce news.
func (s *Space) announcements(ctx context.Context, n news) []*call {
	var calls []*call
	for _, lane := range n.lanes() {
		calls = append(calls, announceScript.call(ctx, []string{s.laneKey(lane)}, s.head(lane, n[lane])...))
	}
	return calls
}

// await waits until the space is coherent, if it is to be.
func (s *Space) await(ctx context.Context, marks []invalidation.Mark) error {
	if !s.coherent {
		return nil
	}
	return s.waitMarks(ctx, marks)
}

// publishOnly runs calls, of which the last return the tails of the logs of lanes, and
// notes the tails in the Session of ctx. It returns the last tail of each lane, and for
// each of those calls its error; err is the first. A lane may be there several times.
func (s *Space) publishOnly(ctx context.Context, lanes []int, calls []*call) (marks []invalidation.Mark, errs []error, err error) {
	began := time.Now()
	err = s.replicate(ctx, calls...)
	errs = make([]error, len(lanes))
	var failed error
	last := map[int]int{} // mark of each lane
	for i, c := range calls[len(calls)-len(lanes):] {
		lane := lanes[i]
		if errs[i] = c.failed(); errs[i] == nil && err != nil && c.cmd.Val() == nil {
			errs[i] = err // was not sent
		}
		var t logTail
		if errs[i] == nil {
			tail, refusal := announced(c.text())
			s.published(refusal)
			if t, errs[i] = parseTail(tail); errs[i] != nil {
				errs[i] = fmt.Errorf("%w: %w", errUnavailable, errs[i])
			}
		}
		if errs[i] != nil {
			failed = cmp.Or(failed, errs[i])
			continue
		}
		s.said(lane, t, began)
		if at, twice := last[lane]; twice {
			marks[at] = s.mark(lane, t)
		} else {
			last[lane] = len(marks)
			marks = append(marks, s.mark(lane, t))
		}
	}
	s.control.Note(ctx, marks...)
	return marks, errs, failed
}

// failed returns why a call has no result.
func (c *call) failed() error {
	if err := c.cmd.Err(); err != nil && err != redis.Nil {
		return fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return nil
}

// replicate runs calls and waits for the replicas of the masters concerned. What a master
// has done and its replicas have not is an error of all that was asked of it.
func (s *Space) replicate(ctx context.Context, calls ...*call) error {
	if s.replicas.N == 0 {
		return s.run(ctx, calls...)
	}
	if err := s.ready(ctx); err != nil {
		return err
	}
	var first error
	var masters []redis.UniversalClient
	byMaster := map[redis.UniversalClient][]*call{}
	for _, c := range calls {
		master := s.rdb
		if s.lanes > 1 {
			m, err := s.servers.master(ctx, s, c.keys[0])
			if err != nil {
				c.fail(ctx, err)
				first = cmp.Or(first, err)
				continue
			}
			master = m
		}
		if byMaster[master] == nil {
			masters = append(masters, master)
		}
		byMaster[master] = append(byMaster[master], c)
	}
	err := together(len(masters), func(i int) error {
		t := tally{space: s, servers: map[*server]*strikes{}}
		for part := range trips(byMaster[masters[i]]) {
			t.run(ctx, part, func(ctx context.Context, part []*call) error { return s.replicateOn(ctx, masters[i], part) })
		}
		relearn(ctx, s.rdb, t.first)
		return t.first
	})
	return cmp.Or(first, err)
}

// replicateOn runs calls in one trip on a master and waits for its replicas.
func (s *Space) replicateOn(ctx context.Context, master redis.UniversalClient, calls []*call) error {
	// In one pipeline, so that it is the connection that has written.
	wait := command(ctx, "wait", s.replicas.N, s.replicas.Timeout.Milliseconds())
	wait.wait, wait.free = true, true
	err := s.runOn(ctx, master, s.pace.bound()+s.replicas.Timeout, append(slices.Clip(calls), wait))
	if wait.cmd.Err() != nil {
		err = cmp.Or(err, wait.failed())
	} else if n, _ := wait.cmd.Val().(int64); err == nil && int(n) < s.replicas.N {
		err = fmt.Errorf("%w: %d replicas have it, not %d", errUnavailable, n, s.replicas.N)
	}
	if err != nil {
		for _, c := range calls {
			if c.failed() == nil {
				c.fail(ctx, err)
			}
		}
	}
	return err
}
