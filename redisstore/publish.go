package redisstore

import (
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

// publish runs calls, of which the last return the tails of the logs of lanes,
// and notes the tails in the Session of ctx. It awaits them.
func (s *Space) publish(ctx context.Context, lanes []int, calls []*call) error {
	marks, err := s.publishOnly(ctx, lanes, calls)
	if err != nil {
		return err
	}
	return s.await(ctx, marks)
}

// await waits until the space is coherent, if it is to be.
func (s *Space) await(ctx context.Context, marks []invalidation.Mark) error {
	if !s.coherent {
		return nil
	}
	return s.waitMarks(ctx, marks)
}

func (s *Space) publishOnly(ctx context.Context, lanes []int, calls []*call) ([]invalidation.Mark, error) {
	began := time.Now()
	if err := s.replicate(ctx, calls...); err != nil {
		return nil, err
	}
	marks := make([]invalidation.Mark, 0, len(lanes))
	for i, c := range calls[len(calls)-len(lanes):] {
		lane := lanes[i]
		tail, refusal := announced(c.text())
		s.published(refusal)
		t, err := parseTail(tail)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errUnavailable, err)
		}
		marks = append(marks, s.mark(lane, t))
		s.said(lane, t, began)
	}
	s.control.Note(ctx, marks...)
	return marks, nil
}

// replicate runs calls and waits for the replicas of the masters concerned.
func (s *Space) replicate(ctx context.Context, calls ...*call) error {
	if s.replicas.N == 0 {
		return s.run(ctx, calls...)
	}
	if err := s.usable(); err != nil {
		return err
	}
	byMaster := map[redis.UniversalClient][]*call{}
	for _, c := range calls {
		master := s.rdb
		if cluster, ok := s.rdb.(*redis.ClusterClient); ok {
			m, err := cluster.MasterForKey(ctx, c.keys[0])
			if err != nil {
				return fmt.Errorf("%w: %w", errUnavailable, err)
			}
			master = m
		}
		byMaster[master] = append(byMaster[master], c)
	}
	for master, part := range byMaster {
		// In one pipeline, so that it is the connection that has written.
		wait := command(ctx, "wait", s.replicas.N, s.replicas.Timeout.Milliseconds())
		wait.wait = true
		if err := s.runOn(ctx, master, s.pace.bound()+s.replicas.Timeout, append(slices.Clip(part), wait)); err != nil {
			relearn(ctx, s.rdb, err)
			return err
		}
		if n, _ := wait.cmd.Val().(int64); int(n) < s.replicas.N {
			return fmt.Errorf("%w: %d replicas have it, not %d", errUnavailable, n, s.replicas.N)
		}
	}
	return nil
}
