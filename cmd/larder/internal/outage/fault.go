package outage

import (
	"context"
	"time"

	"github.com/larder-cache/larder/internal/netfault"
)

// fault is a way in which Redis dies.
type fault struct {
	name, what string
	// begin makes it happen. end makes it be over, and returns when Redis serves
	// again.
	begin func(*site, context.Context) error
	end   func(*site, context.Context) error
}

// slowness is how long each answer of a slow server takes.
const slowness = 50 * time.Millisecond

var faults = []fault{
	{"refused", "nobody listens at the port",
		func(s *site, _ context.Context) error { s.proxy.Shut(); return nil },
		func(s *site, _ context.Context) error { return s.proxy.Open() }},
	{"blackholed", "connections are accepted, and nothing is answered",
		func(s *site, _ context.Context) error { s.proxy.Blackhole(); return nil }, heal},
	{"paused", "the server is stopped by SIGSTOP",
		func(s *site, _ context.Context) error { return s.server.Pause() },
		func(s *site, _ context.Context) error { return s.server.Resume() }},
	{"slow", "each answer takes " + slowness.String() + " more",
		func(s *site, _ context.Context) error {
			s.proxy.Set(netfault.Fault{DelayReplies: slowness})
			return nil
		}, heal},
	{"loading", "the server has restarted and loads a snapshot: LOADING", (*site).load, (*site).loaded},
	{"oom", "memory is full, and nothing is evicted: OOM to each write",
		func(s *site, ctx context.Context) error { return s.direct.ConfigSet(ctx, "maxmemory", "1").Err() },
		func(s *site, ctx context.Context) error { return s.direct.ConfigSet(ctx, "maxmemory", "0").Err() }},
	{"readonly", "the server is the replica of a dead master: READONLY to each write",
		func(s *site, ctx context.Context) error { return s.direct.SlaveOf(ctx, "127.0.0.1", "1").Err() },
		func(s *site, ctx context.Context) error { return s.direct.SlaveOf(ctx, "no", "one").Err() }},
	{"killed", "the server is killed, and comes back empty",
		func(s *site, _ context.Context) error { s.server.Kill(); s.proxy.Shut(); return nil },
		func(s *site, ctx context.Context) error {
			if err := s.server.Restart(ctx); err != nil {
				return err
			}
			return s.proxy.Open()
		}},
}

func heal(s *site, _ context.Context) error {
	s.proxy.Heal()
	return nil
}

// Faults returns the names of all faults.
func Faults() (names []string) {
	for _, f := range faults {
		names = append(names, f.name)
	}
	return names
}

// WhatHappens returns what a fault is, in words, "" if there is no such fault.
func WhatHappens(fault string) string {
	if f := faultOf(fault); f != nil {
		return f.what
	}
	return ""
}

func faultOf(name string) *fault {
	for i := range faults {
		if faults[i].name == name {
			return &faults[i]
		}
	}
	return nil
}
