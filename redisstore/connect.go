package redisstore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// settings is what all processes that use a space must have in common, or they
// would not see each other's entries and messages.
func (s *Space) settings() string {
	return fmt.Sprintf("larder keys=1 value=%d message=%d lanes=%d tails=%d", magic[len(magic)-1], messageFormat, s.lanes, tailsPerLane)
}

type connectHook = func(context.Context, *redis.Conn) error

// onConnect returns what is done with a connection before it is used: see meet
// and agree. addr is "" if a single master is meant, wherever it is.
func (s *Space) onConnect(addr string, then connectHook) connectHook {
	return func(ctx context.Context, cn *redis.Conn) error {
		if then != nil {
			if err := then(ctx, cn); err != nil {
				return err
			}
		}
		p := cn.Pipeline()
		info := p.Info(ctx, "replication")
		settings := p.Eval(ctx, settingsScript.src, []string{s.laneKey(0)}, s.settings())
		clock := p.Eval(ctx, clockScript.src, []string{s.laneKey(0)}, s.tagLife.Load(), s.times[0].last())
		sent := time.Now()
		p.Exec(ctx) // each has its own error, and none need be possible
		if text, err := clock.Text(); err == nil {
			if now, err := parseTime(text); err == nil { // else it is asked for when it is needed
				s.times[0].heard(now, sent, time.Now())
			}
		}
		s.suspect(info.Err())
		s.suspect(settings.Err())
		if found, err := settings.Text(); err == nil && found != s.settings() {
			err := fmt.Errorf("larder: redisstore: the space %q is in use with other settings: there %q, here %q; use another name, or clear the space when nobody uses it", s.ns, found, s.settings())
			s.refused.Store(&err)
		}
		if text, err := info.Result(); err == nil {
			s.meet(addr, text)
		}
		return nil
	}
}

// masters knows the incarnations of the servers: what Redis calls their
// replication ids.
type masters struct {
	mu     sync.Mutex
	byAddr map[string]string
	known  map[string]bool
}

// meet looks at who has answered. A server that is another than before, or that
// was a replica of one we knew, may lack the last invalidations.
func (s *Space) meet(addr, info string) {
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[k] = v
		}
	}
	id, before := fields["master_replid"], fields["master_replid2"]
	if id == "" || fields["role"] != "master" {
		return
	}
	m := &s.masters
	m.mu.Lock()
	if m.known == nil {
		m.byAddr, m.known = map[string]string{}, map[string]bool{}
	}
	last := m.byAddr[addr]
	changed := !m.known[id] && (last != "" || m.known[before])
	m.byAddr[addr], m.known[id] = id, true
	m.mu.Unlock()
	if changed {
		s.regressed()
	}
}

// regressed has lost invalidations done again. What is concerned is held from now
// on, before the connection is used.
func (s *Space) regressed() {
	keys, tags, over := s.recent.all()
	if s.regress == Flush || over {
		s.control.RetryAll()
		return
	}
	s.control.RetryKeys(keys...)
	s.control.RetryTags(tags...)
}
