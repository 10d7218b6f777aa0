package aside_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/larder-cache/larder/writethrough"
	"github.com/redis/go-redis/v9"
)

// server is where the processes of a test have their space.
type server struct {
	rdb  redis.UniversalClient
	name string
}

// process opens the space as a process of its own has it.
func (s server) process(t *testing.T) *redisstore.Space {
	space, err := redisstore.Open(t.Context(), s.rdb, s.name, &redisstore.Options{Timeout: 10 * time.Second, NoBreaker: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return space
}

// remoteChanges are the ways in which another process invalidates what row 1 depends on.
var remoteChanges = map[string]func(context.Context, *redisstore.Space, *redisstore.Store[int, int]) error{
	"key": func(ctx context.Context, _ *redisstore.Space, s *redisstore.Store[int, int]) error {
		return s.Invalidate(ctx, 1)
	},
	"tag": func(ctx context.Context, p *redisstore.Space, _ *redisstore.Store[int, int]) error {
		return p.InvalidateTags(ctx, "of the row")
	},
	"everything": func(ctx context.Context, p *redisstore.Space, _ *redisstore.Store[int, int]) error {
		return p.Clear(ctx)
	},
	"Mutate": func(ctx context.Context, p *redisstore.Space, s *redisstore.Store[int, int]) error {
		return p.Mutate(ctx, []invalidation.Target{invalidation.Tag("of the row"), invalidation.Keys(s, 1)}, func(context.Context) error { return nil })
	},
	"Write": func(ctx context.Context, _ *redisstore.Space, s *redisstore.Store[int, int]) error {
		w := writethrough.New(s, func(int) int { return 1 }, func(_ context.Context, v int) (int, error) { return v, nil }, invalidation.Policy{}, nil)
		_, err := w.Write(ctx, 7)
		return err
	},
}

// A back-off ends with what another process invalidates, as soon as that has returned,
// and not when this process hears of it.
func TestOldErrors_ABackOffEndsWithAnInvalidationOfAnotherProcess(t *testing.T) {
	for topology, rdb := range map[string]func(testing.TB) redis.UniversalClient{
		"single":  func(t testing.TB) redis.UniversalClient { return redistest.Client(t) },
		"cluster": func(t testing.TB) redis.UniversalClient { return redistest.ClusterClient(t) },
	} {
		s := server{rdb: rdb(t), name: "olderrors-" + topology + fmt.Sprint(seed(t))}
		here, there := s.process(t), s.process(t)
		for change, invalidate := range remoteChanges {
			for _, tags := range []string{"known", "late"} {
				for _, memory := range []bool{false, true} {
					name := fmt.Sprint(topology, "/", change, "/", tags, "/memory ", memory)
					t.Run(name, func(t *testing.T) {
						rows := redisstore.New[int, int](here, strings.NewReplacer("/", "-", " ", "-").Replace(name), nil)
						var store cache.Cache[int, int] = rows
						if memory {
							store = cache.Tiered(memstore.New[int, int](here.Domain, 100, nil), rows)
						}
						opts := &aside.Options[int, int]{}
						if tags == "late" {
							opts.Tags = func(int, int) []string { return []string{"of the row"} }
						} else {
							opts.KeyTags = func(int) []string { return []string{"of the row"} }
						}
						o := &switchboard{do: fails}
						l := aside.New(store, o.load, invalidation.Policy{Fresh: time.Hour, Backoff: 2 * time.Hour}, opts)
						for range 3 {
							want(t, "while the origin fails", func() (int, error) { return l.Get(t.Context(), 1) }, 0, errOrigin)
						}
						// What depends on tags that nobody knows cannot be vouched for.
						loads := 1
						if tags == "late" {
							loads = 3
						}
						if n := o.count(); n != loads {
							t.Errorf("%d loads", n)
						}
						o.set(nil)
						if err := invalidate(t.Context(), there, redisstore.New[int, int](there, strings.NewReplacer("/", "-", " ", "-").Replace(name), nil)); err != nil {
							t.Fatal(err)
						}
						v, err := l.Get(t.Context(), 1)
						if err != nil || v != loads+1 && v != 7 {
							t.Errorf("after it: %d, %v", v, err)
						}
						if err := l.Close(t.Context()); err != nil {
							t.Error(err)
						}
					})
				}
			}
		}
	}
}

// versionError is an error that says which version of the row the origin had.
type versionError int64

func (e versionError) Error() string { return fmt.Sprint("no rows at version ", int64(e)) }

// Whatever loads fail at, no error is older than an invalidation that had returned
// before the read began: also between processes.
func TestOldErrors_NoErrorIsOlderThanTheLastInvalidation(t *testing.T) {
	seed := seed(t)
	s := server{rdb: redistest.Client(t), name: fmt.Sprint("olderrors-history-", seed)}
	here, there := s.process(t), s.process(t)
	inMemory := memstore.New[int, int](nil, 100, nil)
	type process struct {
		store cache.Cache[int, int]
		tags  func(context.Context, ...string) error
	}
	for name, all := range map[string][2]process{
		"memory":    {{inMemory, inMemory.Domain().InvalidateTags}, {inMemory, inMemory.Domain().InvalidateTags}},
		"processes": {{redisstore.New[int, int](here, "rows", nil), here.InvalidateTags}, {redisstore.New[int, int](there, "rows", nil), there.InvalidateTags}},
	} {
		t.Run(name, func(t *testing.T) {
			var l ledger
			var repeated atomic.Int64
			policy := invalidation.Policy{Fresh: time.Minute, Stale: time.Minute, Backoff: time.Hour}
			load := func(_ context.Context, key int) (int, error) {
				v := l.version[key].Load()
				time.Sleep(time.Duration(v%3) * 100 * time.Microsecond)
				if v%2 == 0 {
					return 0, versionError(v)
				}
				return int(v), nil
			}
			tag := func(key int) []string { return []string{fmt.Sprint(name, key)} }
			var loaders []*aside.Loader[int, int]
			for _, p := range all {
				loaders = append(loaders,
					aside.New(p.store, load, policy, &aside.Options[int, int]{KeyTags: tag}),
					aside.New(p.store, load, policy, &aside.Options[int, int]{Tags: func(key, _ int) []string { return tag(key) }}),
				)
			}
			var wg sync.WaitGroup
			for worker := range 16 {
				wg.Go(func() {
					for i := range 150 {
						key := (worker + i) % 3
						if i%10 == worker%10 {
							v := l.version[key].Add(1)
							var err error
							if worker%2 == 0 {
								err = all[worker/2%2].tags(t.Context(), tag(key)...)
							} else {
								err = loaders[worker%4].Invalidate(t.Context(), key)
							}
							if err == nil {
								raise(&l.known[key], v)
							}
							continue
						}
						least := l.known[key].Load()
						v, err := loaders[i%4].Get(t.Context(), key)
						var e versionError
						if errors.As(err, &e) {
							v = int(e)
							repeated.Add(1)
						} else if err != nil {
							t.Error(err)
						}
						if int64(v) < least {
							t.Errorf("the origin had version %d, %v: version %d was invalidated before", v, err, least)
						}
					}
				})
			}
			wg.Wait()
			for _, l := range loaders {
				if err := l.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if repeated.Load() < 100 {
				t.Errorf("only %d errors were seen", repeated.Load())
			}
		})
	}
}
