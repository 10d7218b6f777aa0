package redisstore

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/redis/go-redis/v9"
)

// storm has goroutines of some processes ask for one cold key.
type storm struct {
	processes, goroutines int
	load                  func(context.Context, string) (string, error)

	commands []atomic.Int64 // of each process
	waits    []time.Duration
}

// run returns what each caller was told.
func (s *storm) run(t *testing.T, rdb redis.UniversalClient) (values []string, errs []error) {
	n := s.processes * s.goroutines
	values, errs = make([]string, n), make([]error, n)
	s.commands, s.waits = make([]atomic.Int64, s.processes), make([]time.Duration, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for p := range s.processes {
		space, err := Open(t.Context(), rdb, "storm."+strings.ReplaceAll(t.Name(), "/", "."), &Options{Timeout: 10 * time.Second, LockWait: 30 * time.Second})
		must(t, err)
		defer space.Close(context.Background())
		for lane := range space.Status().Lanes {
			for !space.Status().Lanes[lane].Subscribed {
				must(t, space.bus.lanes[lane].fence(t.Context()))
			}
		}
		// Who waits is woken: nobody looks by itself.
		space.clock.pause = func(ctx context.Context, woken, closing <-chan struct{}, _ time.Duration) error {
			return realClock.pause(ctx, woken, closing, time.Hour)
		}
		store := cache.Tiered(memstore.New[string, string](space.Domain, 1000, nil), New[string, string](space, "s", nil))
		load := func(ctx context.Context, k string) (string, error) {
			if k == "warm" {
				return "", nil
			}
			return s.load(ctx, k)
		}
		loader := aside.New(store, load, invalidation.TTL(time.Minute), nil)
		defer loader.Close(context.Background())
		warm := aside.New(store, load, invalidation.TTL(time.Minute), nil) // loads the scripts
		if _, err := warm.Get(t.Context(), "warm"); err != nil {
			t.Fatal(err)
		}
		must(t, warm.Close(t.Context()))
		space.Client().AddHook(hook{before: func(cmds []redis.Cmder) {
			for _, c := range cmds {
				switch c.Name() {
				case "hello", "client", "info", "eval": // of a new connection
				default:
					s.commands[p].Add(1)
				}
			}
		}})
		for g := range s.goroutines {
			i := p*s.goroutines + g
			wg.Go(func() {
				<-start
				began := time.Now()
				values[i], errs[i] = loader.Get(t.Context(), "k")
				s.waits[i] = time.Since(began)
			})
		}
	}
	close(start)
	wg.Wait()
	slices.Sort(s.waits)
	for p := range s.commands {
		t.Logf("process %d: %d commands", p, s.commands[p].Load())
	}
	t.Logf("median %v, 99th percentile %v", s.waits[n/2], s.waits[n*99/100])
	return values, errs
}

func TestAColdKeyIsLoadedOnceByAllProcesses(t *testing.T) {
	for name, rdb := range map[string]redis.UniversalClient{"server": redistest.Client(t), "cluster": redistest.ClusterClient(t)} {
		t.Run(name, func(t *testing.T) {
			var loads atomic.Int64
			s := storm{processes: 4, goroutines: 250, load: func(context.Context, string) (string, error) {
				loads.Add(1)
				<-time.After(50 * time.Millisecond)
				return "v", nil
			}}
			values, errs := s.run(t, rdb)
			for i, v := range values {
				if v != "v" || errs[i] != nil {
					t.Fatalf("caller %d has %q, %v", i, v, errs[i])
				}
			}
			if n := loads.Load(); n != 1 {
				t.Errorf("there were %d loads", n)
			}
		})
	}
}

// One caller a process: what the waiting itself costs.
func TestAWaitForAnotherProcessTakesSixCommandsAtMost(t *testing.T) {
	s := storm{processes: 4, goroutines: 1, load: func(context.Context, string) (string, error) {
		<-time.After(20 * time.Millisecond)
		return "v", nil
	}}
	s.run(t, redistest.Client(t))
	for p := range s.commands {
		if n := s.commands[p].Load(); n > 6 {
			t.Errorf("process %d has sent %d", p, n)
		}
	}
}

func TestALoadThatFailsForOneProcessIsTriedByTheNext(t *testing.T) {
	broken := errors.New("the origin is down")
	var loads atomic.Int64
	s := storm{processes: 3, goroutines: 1, load: func(context.Context, string) (string, error) {
		<-time.After(10 * time.Millisecond)
		if loads.Add(1) == 1 {
			return "", broken
		}
		return "v", nil
	}}
	values, errs := s.run(t, redistest.Client(t))
	failed := 0
	for i, v := range values {
		if errors.Is(errs[i], broken) {
			failed++
		} else if v != "v" || errs[i] != nil {
			t.Errorf("caller %d has %q, %v", i, v, errs[i])
		}
	}
	if failed != 1 || loads.Load() != 2 {
		t.Errorf("%d callers have failed, and there were %d loads", failed, loads.Load())
	}
}

// A linearizable Loader loads again what was refused. Its lock must not be in its
// own way.
func TestAStrictLoaderDoesNotWaitForItself(t *testing.T) {
	m := miniredis.RunT(t)
	p := newTimed(t, m, time.Second)
	for name, spoil := range map[string]func() error{
		"key":        func() error { return p.Invalidate(t.Context(), "key") },
		"known tag":  func() error { return p.space.InvalidateTags(t.Context(), "all") },
		"late tag":   func() error { return p.space.InvalidateTags(t.Context(), "late:late tag") },
		"all":        func() error { return p.space.Clear(t.Context()) },
		"lost token": func() error { m.Del(p.key("lost token")); return nil },
	} {
		loads := 0
		loader := aside.New(p.Store, func(context.Context, string) (string, error) {
			if loads++; loads < 4 {
				return "old", spoil()
			}
			return "new", nil
		}, invalidation.TTL(time.Minute), &aside.Options[string, string]{
			Linearizable: true,
			KeyTags:      func(string) []string { return []string{"all"} },
			Tags:         func(k, _ string) []string { return []string{"late:" + k} },
		})
		if v, err := loader.Get(t.Context(), name); v != "new" || err != nil {
			t.Errorf("%s: it is %q, %v", name, v, err)
		}
		if p.pauses != 0 {
			t.Errorf("%s: it has waited %d times for itself", name, p.pauses)
		}
		must(t, loader.Close(t.Context()))
		p.pauses = 0
	}
}

func TestStrictLoadersOfSeveralProcessesGetOn(t *testing.T) {
	m := miniredis.RunT(t)
	var version atomic.Int64
	var wg sync.WaitGroup
	for range 3 {
		p := newProcess(t, m.Addr(), Options{})
		loader := aside.New(p.Store, func(context.Context, string) (string, error) {
			return time.Unix(version.Load(), 0).UTC().String(), nil
		}, invalidation.TTL(time.Minute), &aside.Options[string, string]{Linearizable: true})
		defer loader.Close(context.Background())
		wg.Go(func() {
			for range 50 {
				version.Add(1)
				if err := p.Invalidate(t.Context(), "k"); err != nil {
					t.Error(err)
				}
				if _, err := loader.Get(t.Context(), "k"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
