//go:build unix

package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
)

// comesToWork waits until f returns nil, and returns for how long.
func comesToWork(t *testing.T, what string, f func() error) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	began := time.Now()
	if err := redisproc.Until(ctx, f); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	return time.Since(began)
}

// serves fails the test unless everything works in p: fills and hits, memory under its
// lease, invalidations and Mutate.
func serves(t *testing.T, p process) {
	t.Helper()
	took := comesToWork(t, "a fill and a hit", func() error {
		out, err := cache.Put(t.Context(), p.l2, 1, entry("a", "tag"))
		if err != nil {
			return err
		}
		e, err := p.l2.Get(t.Context(), 1)
		if err == nil && e == nil {
			err = fmt.Errorf("a miss of what is %v", out)
		}
		return err
	})
	took += comesToWork(t, "a hit of memory", func() error {
		if _, err := p.both.Get(t.Context(), 1); err != nil {
			return err
		}
		if e, _ := p.l1.Get(t.Context(), 1); e == nil {
			return errors.New("memory has nothing")
		}
		return nil
	})
	took += comesToWork(t, "Invalidate", func() error { return p.both.Invalidate(t.Context(), 1) })
	took += comesToWork(t, "InvalidateTags", func() error { return p.space.InvalidateTags(t.Context(), "tag") })
	took += comesToWork(t, "Mutate", func() error {
		return p.space.Mutate(t.Context(), []invalidation.Target{invalidation.Keys(p.l2, 1), invalidation.Tag("tag")}, func(context.Context) error { return nil })
	})
	t.Logf("all works after %v", took)
}

func TestFar_EverythingWorksFromAColdStart(t *testing.T) {
	atSites(t, func(t *testing.T, s *site) {
		for _, trip := range []time.Duration{5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond} {
			t.Run(fmt.Sprint(trip), func(t *testing.T) {
				s.set(netfault.Fault{Latency: trip / 2})
				defer s.set(netfault.Fault{})
				before := s.accepted()
				// A machine that is busy is slow: breakers are not what is tried here. See
				// TestPace_FollowsTheRoundTrip.
				space, err := redisstore.Open(t.Context(), s.client(t), spaceName(), &redisstore.Options{Slow: time.Second})
				if err != nil {
					t.Fatal(err)
				}
				defer space.Close(context.Background())
				p := processIn(space)
				serves(t, p)
				serves(t, p)
				// One for commands, one for beats and one for the subscription, and no more
				// than a few besides: for each server, and of each kind.
				if n := s.accepted() - before; n > int64(16*len(s.proxies)) {
					t.Errorf("%d connections were made", n)
				} else {
					t.Logf("%d connections", n)
				}
				if problems := space.Problems(); len(problems) > 0 {
					t.Errorf("problems: %v", problems)
				}
			})
		}
	})
}

func TestFar_OptionsThatAllowTooLittleAreAProblem(t *testing.T) {
	s := newSite(t, "single", false)
	s.set(netfault.Fault{Latency: 20 * time.Millisecond})
	space, err := redisstore.Open(t.Context(), s.client(t), spaceName(), &redisstore.Options{
		Timeout: 50 * time.Millisecond, Lease: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close(context.Background())
	comesToWork(t, "the problems", func() error {
		space.Client().Ping(t.Context())
		found := map[string]bool{}
		for _, p := range space.Status().Problems {
			if p.Code == redisstore.ProblemFar {
				found[p.Subject] = true
			}
		}
		if !found["Options.Timeout"] || !found["Options.Lease"] {
			return fmt.Errorf("they are %v", found)
		}
		return nil
	})
}
