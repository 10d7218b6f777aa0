//go:build unix

package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
)

// atOnce is how many of one operation are made at once.
const atOnce = 5

// burst does f for 0 to n-1 at once and returns all errors.
func burst(n int, f func(i int) error) error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		all.Go(func() { errs[i] = f(i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// pausing is a process of which something is asked after a pause in which what lies
// between it and the server has forgotten its connections.
type pausing struct {
	process
	fills [atOnce]cache.Fill[string]
	// before is done before the pause.
	before func(p *pausing, ctx context.Context, i int) error
	// first is what is asked. It is done with different i at once.
	first func(p *pausing, ctx context.Context, i int) error
}

func (p *pausing) store(ctx context.Context, i int) error {
	stored, err := cache.Put(ctx, p.l2, i, entry("a", "tag"))
	if err == nil && !stored {
		err = errors.New("it is not stored")
	}
	return err
}

func (p *pausing) reserve(ctx context.Context, i int) (err error) {
	p.fills[i], err = p.l2.Reserve(ctx, cache.Slot[int]{Key: i, Tags: []string{"tag"}})
	return err
}

func (p *pausing) quarantine(ctx context.Context, i int) (err error) {
	p.fills[i], err = p.l2.Quarantine(ctx, cache.Slot[int]{Key: i, Tags: []string{"tag"}})
	return err
}

func (p *pausing) commit(ctx context.Context, i int) error {
	out, err := p.fills[i].Commit(ctx, entry("b", "tag"))
	if err == nil && out[0] != cache.Stored {
		err = fmt.Errorf("the outcome is %v", out[0])
	}
	return err
}

func (p *pausing) invalidate(ctx context.Context, i int) error { return p.l2.Invalidate(ctx, i) }

// connected waits until the process has several connections to each server that it uses
// and makes none.
func (p *pausing) connected(t *testing.T) {
	t.Helper()
	comesToWork(t, "having connections", func() error {
		if err := burst(20, func(i int) error { return p.invalidate(t.Context(), 100+i) }); err != nil {
			return err
		}
		return p.space.Connected(3)
	})
}

// pausings are all operations.
func pausings(t *testing.T, s *site) map[string]*pausing {
	all := map[string]*pausing{
		"Get": {before: (*pausing).store, first: func(p *pausing, ctx context.Context, i int) error {
			e, err := p.l2.Get(ctx, i)
			if err == nil && e == nil {
				err = errors.New("a miss")
			}
			return err
		}},
		"GetMany": {before: (*pausing).store, first: func(p *pausing, ctx context.Context, i int) error {
			got, err := p.l2.GetMany(ctx, []int{0, i, 50, 51, 52})
			if err == nil && got[i] == nil {
				err = errors.New("a miss")
			}
			return err
		}},
		"Reserve":    {first: (*pausing).reserve},
		"Commit":     {before: (*pausing).reserve, first: (*pausing).commit},
		"Quarantine": {first: (*pausing).quarantine},
		"Release":    {before: (*pausing).quarantine, first: (*pausing).commit},
		"Put":        {first: (*pausing).store},
		"Invalidate": {before: (*pausing).store, first: (*pausing).invalidate},
		"Fence":      {first: func(p *pausing, ctx context.Context, _ int) error { return p.space.Fence(ctx) }},
		"WaitCoherent": {first: func(p *pausing, ctx context.Context, i int) error {
			ctx, session := invalidation.NewSession(ctx)
			if err := p.invalidate(ctx, i); err != nil {
				return err
			}
			return p.space.WaitCoherent(ctx, session.Token())
		}},
		"InvalidateTags": {before: (*pausing).store, first: func(p *pausing, ctx context.Context, i int) error {
			return p.space.InvalidateTags(ctx, "tag", fmt.Sprint("other", i))
		}},
		"Mutate": {before: (*pausing).store, first: func(p *pausing, ctx context.Context, i int) error {
			targets := []invalidation.Target{invalidation.Keys(p.l2, i), invalidation.Tag("tag")}
			return p.space.Mutate(ctx, targets, func(context.Context) error { return nil })
		}},
	}
	for _, p := range all {
		// With so much time a failure is no matter of the machine's speed.
		space, err := redisstore.Open(t.Context(), s.client(t), spaceName(), &redisstore.Options{Timeout: 4 * time.Second, Lease: 4 * time.Second, NoBreaker: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { space.Close(context.Background()) })
		p.process = processIn(space)
	}
	return all
}

// Whatever is asked first after a pause succeeds, alone and with others.
func TestForget_NothingFailsBecauseConnectionsWereForgotten(t *testing.T) {
	for name, deployment := range map[string]struct {
		kind   string
		secure bool
	}{"single": {"single", false}, "TLS": {"single", true}, "cluster": {"cluster", false}, "Sentinel": {"sentinel", false}} {
		t.Run(name, func(t *testing.T) {
			if !redisstore.UnderRace {
				t.Parallel() // it waits for answers that do not come, most of the time
			}
			s := newSite(t, deployment.kind, deployment.secure)
			all := pausings(t, s)
			for _, reset := range []bool{true, false} {
				for _, n := range []int{1, atOnce} {
					for name, p := range all {
						if p.before != nil {
							if err := burst(n, func(i int) error { return p.before(p, t.Context(), i) }); err != nil {
								t.Fatalf("before %s: %v", name, err)
							}
						}
						p.connected(t)
					}
					s.forget(reset)
					var asked sync.WaitGroup
					for name, p := range all {
						asked.Go(func() {
							p.space.Idle(time.Second)
							if err := burst(n, func(i int) error { return p.first(p, t.Context(), i) }); err != nil {
								t.Errorf("%s, %d at once, after resets: %v: %v", name, n, reset, err)
							}
						})
					}
					asked.Wait()
				}
			}
		})
	}
}

func TestForget_WhatIdlesIsClosedAndOneIsKept(t *testing.T) {
	s := newSite(t, "single", false)
	space, err := redisstore.Open(t.Context(), s.client(t), spaceName(), &redisstore.Options{NoBus: true, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close(context.Background())
	p := &pausing{process: processIn(space)}
	p.connected(t)
	admin := s.admin(t)
	open := func() int {
		list, err := admin.ClientList(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return lines(list) - 1
	}
	if n := open(); n < 3 {
		t.Fatalf("there are %d connections", n)
	}
	space.Idle(time.Hour)
	space.Tend()
	comesToWork(t, "one connection is left", func() error {
		if n := open(); n != 1 {
			return fmt.Errorf("there are %d", n)
		}
		return nil
	})
}
