package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// forgetAfter is the age, in leases, from which a process that does not beat any
// more is forgotten.
const forgetAfter = 10

// askTail returns the tail of a lane's log, and lets the server know how far
// this process has applied it.
func (s *Space) askTail(ctx context.Context, lane int, applied logTail, prune, urgent bool) (logTail, error) {
	age := ""
	if prune {
		age = strconv.FormatInt(max(forgetAfter*s.lease, time.Minute).Milliseconds(), 10)
	}
	c := beatScript.call(ctx, []string{s.laneKey(lane)}, random(8), s.tagLife.Load(), s.id, applied.String(), age)
	if err := s.bus.sendBeat(ctx, lane, c, urgent); err != nil {
		return logTail{}, err
	}
	t, err := parseTail(c.text())
	if err != nil {
		return logTail{}, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return t, nil
}

// log is the state of a lane's log on the server, and how far each process that
// keeps entries in memory has applied it.
type log struct {
	tail    logTail
	applied []logTail
}

// askLog reads the hash of a lane.
func (s *Space) askLog(ctx context.Context, lane int) (log, error) {
	c := command(ctx, "hgetall", s.laneKey(lane))
	if err := s.bus.run(ctx, c); err != nil {
		return log{}, err
	}
	var out log
	for k, v := range c.pairs() {
		switch {
		case k == "tail":
			out.tail, _ = parseTail(v)
		case strings.HasPrefix(k, "m:"):
			_, applied, _ := strings.Cut(v, ":")
			t, _ := parseTail(applied)
			out.applied = append(out.applied, t)
		}
	}
	return out, nil
}

// leave takes this process off the list of those who keep entries in memory.
func (s *Space) leave(ctx context.Context) {
	calls := make([]*call, s.lanes)
	for lane := range calls {
		calls[lane] = command(ctx, "hdel", s.laneKey(lane), "m:"+s.id)
	}
	s.bus.run(ctx, calls...) // whoever is on the list costs others a wait, no more
}
