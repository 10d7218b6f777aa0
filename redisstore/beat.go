package redisstore

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// forgetAfter is the age, in leases, from which a process that does not beat any
// more is forgotten, and how often it is looked for such processes.
const forgetAfter = 10

// roll is when it was last looked for processes that do not beat any more.
type roll struct {
	at     time.Time // zero before the first beat
	server int64     // the same by the clock of the server, in milliseconds
}

// due returns what the script needs to look for dead processes, if it is time for
// that: from which age on they are dead, and when it ought to be by the server's clock.
// If it is not, that was set, and what it says of others cannot be relied on.
func (r *roll) due(now time.Time, lease time.Duration) (age, expected any) {
	passed := now.Sub(r.at)
	if r.at.IsZero() || passed < forgetAfter*lease {
		return "", ""
	}
	return max(forgetAfter*lease, time.Minute).Milliseconds(), r.server + passed.Milliseconds()
}

// tailReply is how many strings the script of a heartbeat returns, unless the settings are
// those of others.
const tailReply = 4

// askTail returns the tail of a lane's log, and lets the server know how far
// this process has applied it.
func (s *Space) askTail(ctx context.Context, lane int, applied logTail, r *roll, urgent bool) (logTail, error) {
	sent := time.Now()
	age, expected := r.due(sent, s.lease)
	args := []any{random(8), s.tagLife.Load(), s.id, applied.String(), s.times[lane].last(), age, expected}
	if lane == 0 {
		args = append(args, s.agreement.ask(s.settings(), s.patience())...)
	} else if err := s.agreement.err(); err != nil {
		return logTail{}, err // who is refused writes nothing
	}
	c := beatScript.call(ctx, []string{s.laneKey(lane)}, args...)
	if err := s.bus.sendBeat(ctx, lane, c, urgent); err != nil {
		return logTail{}, err
	}
	got := c.strings()
	if lane == 0 {
		if len(got) == tailReply {
			s.agreed(nil)
		} else if err := s.agreed(got); err != nil {
			return logTail{}, err
		}
	}
	got = append(got, "", "", "", "")
	if got[3] != "" {
		s.suspect(replyError(got[3]))
	}
	t, err := parseTail(got[0])
	if err != nil {
		return logTail{}, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	now, err := parseTime(got[1])
	if err != nil {
		return logTail{}, err
	}
	s.times[lane].heard(now, sent, time.Now())
	if server, err := parseTime(got[2]); err == nil && (age != "" || r.at.IsZero()) {
		*r = roll{sent, int64(server)}
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
	if s.agreement.err() != nil {
		return // it is on no list
	}
	calls := make([]*call, s.lanes)
	for lane := range calls {
		calls[lane] = command(ctx, "hdel", s.laneKey(lane), "m:"+s.id)
	}
	s.bus.run(ctx, calls...) // whoever is on the list costs others a wait, no more
}
