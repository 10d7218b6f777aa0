package cachetest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/cachetest"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWithoutFaultsAStoreKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		d := invalidation.NewDomain()
		return storetest.Subject{
			Store: cachetest.NewStore(t, memstore.New[string, string](d, 100, nil), 1), InvalidateTags: d.InvalidateTags,
		}
	})
}

func TestInFrontOfAStoreThatLosesDataTheContractIsKept(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		s := storetest.Reference()
		s.Store, s.Peer = cachetest.NewStore(t, s.Store, 1), cachetest.NewStore(t, s.Peer, 2)
		return s
	})
	for _, rule := range storetest.Rules() {
		if rule.Name != "loss/next-writer" && rule.Name != "loss/writer-beside" {
			continue
		}
		t.Run("Shared/"+rule.Name, func(t *testing.T) {
			s := storetest.Reference()
			net := cachetest.NewNetwork(t, nil)
			s.Store = cachetest.Shared(net.Join(), "rows", s.Store)
			if err := rule.Check(t.Context(), s); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAProcessOfANetworkKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		net := cachetest.NewNetwork(t, nil)
		rows := memstore.New[string, string](net.Server, 100, nil)
		a, b := net.Join(), net.Join()
		return storetest.Subject{
			Store: cachetest.Shared(a, "rows", rows), InvalidateTags: a.Domain.InvalidateTags,
			Peer: cachetest.Shared(b, "rows", rows),
		}
	})
}

func TestMemoryInFrontOfAProcessKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Subject {
		net := cachetest.NewNetwork(t, nil)
		rows := memstore.New[string, string](net.Server, 100, nil)
		a := net.Join()
		return storetest.Subject{
			Store:          cache.Tiered(memstore.New[string, string](a.Domain, 100, nil), cachetest.Shared(a, "rows", rows)),
			InvalidateTags: a.Domain.InvalidateTags,
		}
	})
}

// origin is a database of versions.
type origin [4]atomic.Int64

func (o *origin) load(_ context.Context, k int) (int64, error) { return o[k].Load(), nil }

// service is one process of a service, as a user of the library has it.
type service struct {
	node  *cachetest.Node
	store cache.Cache[int, int64]
	users *aside.Loader[int, int64]
	hits  cachetest.Observer
}

func tag(k int) string { return "row:" + strconv.Itoa(k) }

func newService(net *cachetest.Network, rows cache.Cache[int, int64], db *origin) *service {
	s := &service{node: net.Join()}
	l1 := memstore.New(s.node.Domain, 100, &memstore.Options[int, int64]{Observer: &s.hits})
	s.store = cache.Tiered(l1, cachetest.Shared(s.node, "rows", rows))
	s.users = aside.New(s.store, db.load, invalidation.TTL(time.Hour), &aside.Options[int, int64]{
		Tags: func(k int, _ int64) []string { return []string{tag(k)} },
	})
	return s
}

// play lets three services read and write for a while, in the time of a bubble,
// and returns how many reads were stale of how many.
func play(t *testing.T, seed uint64, o cachetest.NetworkOptions, lease time.Duration, report testing.TB) (reads, stale, hits int) {
	synctest.Test(t, func(t *testing.T) {
		o.Seed = seed
		net := cachetest.NewNetwork(t, &o)
		var db origin
		rows := memstore.New[int, int64](net.Server, 100, nil)
		var services []*service
		for range 3 {
			services = append(services, newService(net, rows, &db))
		}
		net.SetBus(cachetest.Bus{Drop: 0.3, Duplicate: 0.2, Delay: 400 * time.Millisecond})
		rec := cachetest.NewRecorder[int](report, lease)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		one := make(chan struct{}, 1) // writer of the origin: versions return in their order
		for i, s := range services {
			r := rand.New(rand.NewPCG(seed, uint64(i)))
			s.node.Set(cachetest.Faults{Fail: 0.05, Lose: 0.05, Repeat: 0.2, Delay: 5 * time.Millisecond})
			wg.Go(func() {
				for ctx.Err() == nil {
					k := r.IntN(len(db))
					time.Sleep(time.Duration(r.IntN(20)) * time.Millisecond)
					switch r.IntN(30) {
					case 0:
						s.node.Partition(r.IntN(2) == 0)
					case 1, 2:
						one <- struct{}{}
						v := db[k].Add(1)
						var err error
						if r.IntN(2) == 0 {
							err = s.users.Invalidate(ctx, k)
						} else {
							err = s.node.Domain.InvalidateTags(ctx, tag(k))
						}
						if err == nil {
							rec.Write(k, v)()
						}
						<-one
					default:
						check := rec.Read(k)
						if v, err := s.users.Get(ctx, k); err == nil {
							check(v)
						}
					}
				}
			})
		}
		wg.Wait()
		for _, s := range services {
			s.node.Partition(false)
			s.node.Set(cachetest.Faults{})
			s.users.Close(t.Context())
			hits += s.hits.Count(cache.Hit)
		}
		reads, stale = rec.Reads()
	})
	return reads, stale, hits
}

func TestOnABadNetworkNoReadIsOlderThanTheLease(t *testing.T) {
	seeds := uint64(20)
	first := rand.Uint64()
	if s := os.Getenv("LARDER_SEED"); s != "" {
		var err error
		if first, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seeds from %d", first)
	var reads, hits int
	for i := range seeds {
		r, _, h := play(t, first+i, cachetest.NetworkOptions{}, time.Second, t)
		reads, hits = reads+r, hits+h
	}
	t.Logf("%d reads, %d hits of memory", reads, hits)
	if reads < 1000 || hits < 1000 {
		t.Error("the test proves nothing")
	}
}

// quiet is a test that may fail.
type quiet struct {
	testing.TB
	failed atomic.Int64
	first  atomic.Pointer[string]
}

func (q *quiet) Helper() {}

func (q *quiet) Errorf(format string, args ...any) {
	q.failed.Add(1)
	s := fmt.Sprintf(format, args...)
	q.first.CompareAndSwap(nil, &s)
}

func TestTheRecorderFindsMemoryThatServesBeyondItsLease(t *testing.T) {
	q := &quiet{TB: t}
	// A seed says what the network does, and not which goroutine is first.
	for seed := uint64(0); q.failed.Load() == 0; seed++ {
		if seed == 50 {
			t.Fatal("nothing is stale")
		}
		play(t, seed, cachetest.NetworkOptions{Behind: time.Hour}, time.Second, q)
	}
	if first := *q.first.Load(); !strings.Contains(first, "was read in version") {
		t.Error(first)
	}
}

func TestTheRecorderKnowsWhenAReadBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &quiet{TB: t}
		rec := cachetest.NewRecorder[string](q, 0)
		during := rec.Read("k")
		done := rec.Write("k", 2)
		unfinished := rec.Read("k")
		done()
		rec.Write("k", 1)() // an older one that returns later
		if !during(1) || !unfinished(1) || !rec.Read("other")(0) || !rec.Read("k")(2) {
			t.Error("a read that may be old is called stale")
		}
		if rec.Read("k")(1) || q.failed.Load() != 1 {
			t.Error("a read of an old version is not called stale")
		}
		leased := cachetest.NewRecorder[string](q, time.Second)
		leased.Write("k", 2)()
		time.Sleep(999 * time.Millisecond)
		if !leased.Read("k")(1) {
			t.Error("a read within the lease is called stale")
		}
		time.Sleep(2 * time.Millisecond)
		if leased.Read("k")(1) {
			t.Error("a read after the lease is not called stale")
		}
		if all, stale := rec.Reads(); all != 5 || stale != 1 {
			t.Errorf("%d reads, %d stale", all, stale)
		}
	})
}

func TestFaultsOfAStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := memstore.New[int, string](invalidation.NewDomain(), 10, nil)
		s := cachetest.NewStore(t, inner, 1)
		ctx := t.Context()
		put := func(c cache.Cache[int, string]) {
			now := cache.Now()
			if _, err := cache.Put(ctx, c, 1, &cache.Entry[string]{Value: "v", Fresh: now.Add(time.Hour), Expires: now.Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		there := func() bool { e, _ := inner.Get(ctx, 1); return e != nil }
		ours := errors.New("ours")

		put(s)
		s.Set(cachetest.Faults{Fail: 1, Err: ours})
		if err := s.Invalidate(ctx, 1); !errors.Is(err, ours) || !there() {
			t.Errorf("a call that fails: %v, and the value is there: %v", err, there())
		}
		if _, err := s.Get(ctx, 1); !errors.Is(err, ours) {
			t.Error(err)
		}
		s.Set(cachetest.Faults{Lose: 1})
		if err := s.Invalidate(ctx, 1); !errors.Is(err, cachetest.ErrInjected) || there() {
			t.Errorf("a call whose answer is lost: %v, and the value is there: %v", err, there())
		}
		if _, err := s.Quarantine(ctx, cache.Slot[int]{Key: 1}); err == nil {
			t.Error("a quarantine whose answer is lost has one")
		}
		put(inner) // it was withdrawn

		s.Set(cachetest.Faults{Repeat: 1, Delay: time.Second})
		if err := s.Invalidate(ctx, 1); err != nil {
			t.Fatal(err)
		}
		put(inner)
		time.Sleep(time.Second)
		if synctest.Wait(); there() {
			t.Error("what is repeated does not come a second time")
		}

		s.Set(cachetest.Faults{Hang: true})
		short, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		began := time.Now()
		if _, err := s.Get(short, 1); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		if c := s.Counts(); c.Failed != 2 || c.Lost != 2 || c.Repeated != 1 || c.Hung != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestAnInvalidationThatFailsIsRepeatedWhenTheNetworkIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := cachetest.NewNetwork(t, nil)
		var db origin
		rows := memstore.New[int, int64](net.Server, 100, nil)
		a, b := newService(net, rows, &db), newService(net, rows, &db)
		for _, s := range []*service{a, b} {
			s.users.Get(t.Context(), 0)
		}
		a.node.Partition(true)
		db[0].Add(1)
		if err := a.users.Invalidate(t.Context(), 0); err == nil {
			t.Fatal("an invalidation that could not be made has no error")
		}
		if v, err := a.users.Get(t.Context(), 0); v != 1 || err != nil {
			t.Errorf("the process itself reads %d, %v", v, err)
		}
		a.node.Partition(false)
		time.Sleep(time.Minute)
		if v, err := b.users.Get(t.Context(), 0); v != 1 || err != nil {
			t.Errorf("a minute later another reads %d, %v", v, err)
		}
		if s := a.node.Domain.Status(); s.Retries != 0 || s.Held != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// masked is a key that is printed as others are.
type masked string

func (masked) String() string { return "***" }

func TestNode_RepeatsTheInvalidationsOfKeysThatArePrintedAlike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := cachetest.NewNetwork(t, nil)
		rows := memstore.New[masked, string](net.Server, 100, nil)
		a := net.Join()
		shared := cachetest.Shared(a, "rows", rows)
		keys := []masked{"a", "b", "c"}
		for _, k := range keys {
			if _, err := cache.Put(t.Context(), rows, k, &cache.Entry[string]{Value: "old", Fresh: cache.Forever, Expires: cache.Forever}); err != nil {
				t.Fatal(err)
			}
		}
		a.Partition(true)
		for _, k := range keys {
			if err := shared.Invalidate(t.Context(), k); err == nil {
				t.Fatal("an invalidation that could not be made has no error")
			}
		}
		a.Partition(false)
		time.Sleep(time.Minute)
		for _, k := range keys {
			if e, err := rows.Get(t.Context(), k); e != nil || err != nil {
				t.Errorf("a minute later, %q is still %+v, %v", string(k), e, err)
			}
		}
	})
}

func TestSharesThatAreNoneAreRefused(t *testing.T) {
	net := cachetest.NewNetwork(t, nil)
	p := net.Join()
	for what, f := range map[string]func(){
		"Faults.Fail is 2":         func() { p.Set(cachetest.Faults{Fail: 2}) },
		"Faults.Delay is -1ns":     func() { p.Set(cachetest.Faults{Delay: -1}) },
		"Bus.Drop is -1":           func() { net.SetBus(cachetest.Bus{Drop: -1}) },
		"NetworkOptions.Lease is ": func() { cachetest.NewNetwork(t, &cachetest.NetworkOptions{Lease: -1}) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, what) {
					t.Errorf("%q does not say %q", text, what)
				}
			}()
			f()
		}()
	}
}

const leakEnv = "LARDER_CACHETEST_LEAK"

func TestALeakFailsTheTestThatMadeIt(t *testing.T) {
	if os.Getenv(leakEnv) != "" {
		cachetest.CheckLeaks(t)
		go func() { select {} }()
		return
	}
	cachetest.CheckLeaks(t)
	done := make(chan struct{})
	go func() { close(done) }()
	<-done
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), leakEnv+"=1")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "1 goroutines are left") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestTheObserverKeepsEvents(t *testing.T) {
	var o cachetest.Observer
	s := memstore.New(invalidation.NewDomain(), 10, &memstore.Options[int, int]{Observer: &o})
	s.Get(t.Context(), 1)
	s.GetMany(t.Context(), []int{1, 2})
	if n := o.Count(cache.Miss); n != 3 || len(o.Events()) < 2 {
		t.Errorf("%d misses in %v", n, o.Events())
	}
	if o.Reset(); len(o.Events()) != 0 {
		t.Error("events are left after a reset")
	}
}
