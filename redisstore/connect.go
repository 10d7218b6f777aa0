package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

type connectHook = func(context.Context, *redis.Conn) error

// onConnect returns what is done with a connection before it is used: it is told who
// answers, and by which settings the space lives. addr is "" if a single primary is
// meant, wherever it is. A connection is used only if both are known and right, but for
// a server of a cluster that does not have the first lane: heartbeats ask the one that
// has.
func (s *Space) onConnect(addr string, then connectHook) connectHook {
	return func(ctx context.Context, cn *redis.Conn) error {
		err := s.greet(ctx, cn, addr, then)
		s.greeted.Store(&greeting{err})
		return err
	}
}

// greeting is how the last connection began.
type greeting struct{ err error }

// replica returns the problem that the last connection met, if it led to a replica.
func (s *Space) replica() *cache.Problem {
	var p *cache.Problem
	if g := s.greeted.Load(); g != nil && errors.As(g.err, &p) && p.Code == ProblemReplica {
		return p
	}
	return nil
}

func (s *Space) greet(ctx context.Context, cn *redis.Conn, addr string, then connectHook) error {
	if then != nil {
		if err := then(ctx, cn); err != nil {
			return err
		}
	}
	id, err := s.identify(ctx, cn, addr)
	if err != nil {
		return err
	}
	if err := s.meet(addr, id); err != nil {
		return err
	}
	sent := time.Now()
	answer, err := cn.Eval(ctx, settingsScript.src, []string{s.laneKey(0)}, s.tagLife.Load(), s.settings(), "", "", s.times[0].last()).StringSlice()
	if s.lanes == 1 || !elsewhere(err) {
		s.suspect(err)
	}
	switch {
	case err == nil:
		s.answered(answer, sent) // who is refused asks on
		s.solved(ProblemReplica, "role")
		return nil
	case elsewhere(err), denied(err), says(err, "MISCONF", "NOREPLICAS", "OOM"):
		return nil // another server has it, or a primary does not write, for us or for nobody
	case says(err, "READONLY"):
		return s.isReplica()
	}
	return fmt.Errorf("%w: %w", errSettings, err)
}
