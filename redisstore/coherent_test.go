package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// withOptions returns a process whose memory has its lease.
func withOptions(t testing.TB, rdb redis.UniversalClient, name string, o redisstore.Options) process {
	t.Helper()
	space, err := redisstore.Open(t.Context(), rdb, name, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	p := processIn(space)
	if !o.NoBus {
		fence(t, p)
	}
	return p
}

func fence(t testing.TB, p process) {
	t.Helper()
	if err := p.space.Fence(t.Context()); err != nil {
		t.Fatalf("Fence: %v", err)
	}
}

// warm has p read a key until it is in its memory.
func warm(t testing.TB, p process, k int) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for e, _ := p.l1.Get(t.Context(), k); e == nil; e, _ = p.l1.Get(t.Context(), k) {
		if e, err := p.both.Get(t.Context(), k); e == nil || time.Now().After(deadline) {
			t.Fatalf("Get(%d) is %v, %v, and nothing gets into memory", k, e, err)
		}
		fence(t, p)
	}
}

// everywhere runs a test on each kind of server with two processes.
func everywhere(t *testing.T, f func(t *testing.T, a, b process)) {
	for name, rdb := range servers(t) {
		t.Run(name, func(t *testing.T) {
			space := fmt.Sprint("coherent", namespaces.Add(1))
			o := redisstore.Options{Lease: time.Minute, Timeout: 10 * time.Second} // long, so that only what is tested can help
			f(t, withOptions(t, rdb, space, o), withOptions(t, rdb, space, o))
		})
	}
}

func TestAfterAFenceMemoryIsAsNewAsRedis(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b process) {
		for i := range 20 {
			fill(t, a.both, 1, entry(fmt.Sprint("v", i), "tag"))
			warm(t, b, 1)
			var err error
			if i%2 == 0 {
				err = a.both.Invalidate(t.Context(), 1)
			} else {
				err = a.space.InvalidateTags(t.Context(), "tag")
			}
			if err != nil {
				t.Fatal(err)
			}
			fence(t, b)
			wantMiss(t, b.both, 1)
		}
	})
}

func TestATokenMakesAnotherProcessAsNewAsTheWrite(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b process) {
		for i := range 20 {
			fill(t, a.both, 1, entry("old", "tag"))
			warm(t, b, 1)
			ctx, session := invalidation.NewSession(t.Context())
			var err error
			switch i % 3 {
			case 0:
				err = a.both.Invalidate(ctx, 1)
			case 1:
				err = a.space.InvalidateTags(ctx, "tag")
			default:
				_, err = cache.Put(ctx, a.both, 1, entry("new"))
			}
			if err != nil || session.Token() == "" {
				t.Fatalf("%v, token %q", err, session.Token())
			}
			if err := b.space.AtLeast(t.Context(), session.Token()); err != nil {
				t.Fatal(err)
			}
			if e, err := b.both.Get(t.Context(), 1); err != nil || e != nil && e.Value == "old" {
				t.Fatalf("%d: %+v, %v", i, e, err)
			}
			a.both.Invalidate(t.Context(), 1)
		}
		if err := b.space.AtLeast(t.Context(), "no token"); err == nil {
			t.Error("nonsense is taken for a token")
		}
	})
}

func TestClearReachesTheMemoryOfOtherProcesses(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b process) {
		fill(t, a.both, 1, entry("old", "tag"))
		fill(t, a.both, 2, entry("old"))
		warm(t, b, 1)
		warm(t, b, 2)
		if err := a.space.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		fence(t, b)
		wantMiss(t, b.both, 1)
		wantMiss(t, b.both, 2)
	})
}

func TestMutateOfKeysAndTagsLeavesNothingOld(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b process) {
		row := "old"
		users := aside.New(a.both, func(context.Context, int) (string, error) { return row, nil }, invalidation.TTL(time.Hour), nil)
		fill(t, a.both, 1, entry("old"))
		fill(t, a.both, 2, entry("old", "tag"))
		for _, p := range []process{a, b} {
			warm(t, p, 1)
			warm(t, p, 2)
		}
		err := a.space.Mutate(t.Context(), []invalidation.Target{users.Key(1), invalidation.Tag("tag")}, func(ctx context.Context) error {
			for k := 1; k <= 2; k++ {
				wantMiss(t, a.both, k)
				wantMiss(t, b.l2, k)
				f, err := b.l2.Reserve(ctx, cache.Slot[int]{Key: k, Tags: []string{"tag"}})
				if err != nil {
					return err
				}
				if out, err := f.Commit(ctx, entry("old", "tag")); err != nil || out[0] == cache.Stored {
					t.Errorf("key %d: %v, %v: stored while it changes", k, out, err)
				}
			}
			row = "new"
			if v, err := users.Get(ctx, 1); v != "new" || err != nil {
				t.Errorf("inside the change it is %q, %v", v, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		fence(t, b)
		for k := 1; k <= 2; k++ {
			wantMiss(t, a.both, k)
			wantMiss(t, b.both, k)
			fill(t, b.both, k, entry("new", "tag"))
			want(t, a.both, k, "new")
		}
	})
}

func TestProcessesWithOtherSettingsDoNotMix(t *testing.T) {
	s := redistest.Private(t)
	rdb := redis.NewClient(&redis.Options{Addr: s.Addr()})
	t.Cleanup(func() { rdb.Close() })
	if err := rdb.HSet(t.Context(), "shop:b:{shop:0}", "settings", "larder of another kind").Err(); err != nil {
		t.Fatal(err)
	}
	space := open(t, rdb, "shop")
	l2 := redisstore.New[int, string](space, "s", nil)
	l2.Get(t.Context(), 1) // connects
	_, err := l2.Get(t.Context(), 1)
	if err == nil || !strings.Contains(err.Error(), "other settings") || !strings.Contains(err.Error(), `"shop"`) {
		t.Errorf("%v", err)
	}
}

// A server that comes back with an old snapshot has values that were invalidated. Whoever
// may not ask the server who it is notices that too.
func TestARestartFromAnOldSnapshotIsRepaired(t *testing.T) {
	for name, allowed := range map[string]struct {
		args []string
		user string
	}{
		"INFO is allowed":    {},
		"INFO is dangerous":  {strings.Fields("--user shy on nopass ~* &* +@all -@dangerous"), "shy"},
		"INFO was renamed":   {[]string{"--rename-command", "INFO", ""}, ""},
		"what a space needs": {strings.Fields("--user shy on nopass ~shop:* &shop:* +@read +@write +@connection +@scripting +@pubsub +time"), "shy"},
	} {
		for _, how := range []redisstore.Regress{redisstore.Replay, redisstore.Flush} {
			t.Run(name, func(t *testing.T) {
				s := redistest.Private(t, allowed.args...)
				admin := redis.NewClient(&redis.Options{Addr: s.Addr()})
				t.Cleanup(func() { admin.Close() })
				rdb := redis.NewClient(&redis.Options{Addr: s.Addr(), Username: allowed.user, Password: allowed.user})
				t.Cleanup(func() { rdb.Close() })
				restartFromAnOldSnapshot(t, s, admin, rdb, how)
			})
		}
	}
}

func restartFromAnOldSnapshot(t *testing.T, s *redisproc.Server, admin, rdb *redis.Client, how redisstore.Regress) {
	o := redisstore.Options{Regress: how, Timeout: time.Second}
	a, b := withOptions(t, rdb, "shop", o), withOptions(t, rdb, "shop", redisstore.Options{Timeout: time.Second})
	for k := range 2 {
		fill(t, a.l2, k, entry("old", "tag"))
		want(t, b.l2, k, "old")
	}
	if err := admin.Save(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.l2.Invalidate(t.Context(), 0), a.space.InvalidateTags(t.Context(), "tag")); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	for k := range 2 {
		for {
			e, err := a.l2.Get(t.Context(), k)
			if e != nil {
				t.Fatalf("the process that has invalidated it reads %+v", e)
			}
			if err == nil {
				break
			}
		}
	}
	deadline := time.Now().Add(30 * time.Second)
	for k := range 2 {
		for e, _ := b.l2.Get(t.Context(), k); e != nil; e, _ = b.l2.Get(t.Context(), k) {
			if time.Now().After(deadline) {
				t.Fatal("another process reads for good what had been invalidated")
			}
		}
	}
	if p := a.space.Problems(); len(p) > 0 {
		t.Errorf("it is a problem: %v", p)
	}
}

// A process that can neither ask the server who it is, nor leave a script there, says so.
func TestProblemRollback_IsReportedIfNothingTellsServersApart(t *testing.T) {
	s := redistest.Private(t, strings.Fields("--user shy on nopass ~* &* +@all -@dangerous -script")...)
	rdb := redis.NewClient(&redis.Options{Addr: s.Addr(), Username: "shy", Password: "x"})
	t.Cleanup(func() { rdb.Close() })
	p := open(t, rdb, "shop").Problems()
	if len(p) != 1 || p[0].Code != redisstore.ProblemRollback || !strings.Contains(p[0].Remedy, "+info") || !strings.Contains(p[0].Remedy, "+script|load") {
		t.Errorf("%v", p)
	}
}

// The databases of a server share its channels, and nothing else.
func TestTwoDatabasesOfAServerDoNotWipeEachOthersMemory(t *testing.T) {
	s := redistest.Private(t)
	in := func(db int) process {
		rdb := redis.NewClient(&redis.Options{Addr: s.Addr(), DB: db})
		t.Cleanup(func() { rdb.Close() })
		return newProcess(t, rdb)
	}
	a, b, other := in(3), in(3), in(1)
	fill(t, a.both, 1, entry("v", "tag"))
	warm(t, b, 1)
	for range 20 {
		if err := errors.Join(other.l2.Invalidate(t.Context(), 1), other.space.InvalidateTags(t.Context(), "tag")); err != nil {
			t.Fatal(err)
		}
	}
	fence(t, b)
	want(t, b.l1, 1, "v")
	if status := b.space.Status(); status.Lanes[0].Gaps > 0 || status.Lanes[0].Applied > 0 {
		t.Errorf("it heard of the other database: %+v", status.Lanes[0])
	}
	if err := a.l2.Invalidate(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	untilNil(t, func() error {
		if b.space.Status().Lanes[0].Applied == 0 {
			return errors.New("it does not hear of its own")
		}
		return nil
	})
	wantMiss(t, b.both, 1)
}

func TestAnInvalidationThatTooFewReplicasHaveIsAnError(t *testing.T) {
	p := withOptions(t, redistest.Client(t), "replicas", redisstore.Options{
		Timeout: 10 * time.Second, Replicas: redisstore.Replicas{N: 1, Timeout: 20 * time.Millisecond},
	})
	if err := p.l2.Invalidate(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) || !strings.Contains(err.Error(), "replicas") {
		t.Errorf("%v", err)
	}
}

func TestMemoryWithoutALeaseIsWhatTheOptionsSay(t *testing.T) {
	for _, c := range []struct {
		o      redisstore.Options
		serves bool
		err    error
	}{
		{redisstore.Options{}, false, nil},
		{redisstore.Options{Behind: time.Hour}, true, nil},
		{redisstore.Options{Refuse: true}, false, cache.ErrApart},
		{redisstore.Options{NoBus: true}, true, nil},
	} {
		s := redistest.Private(t)
		rdb := redis.NewClient(&redis.Options{Addr: s.Addr()})
		t.Cleanup(func() { rdb.Close() })
		c.o.Lease = 40 * time.Millisecond
		p := withOptions(t, rdb, "shop", c.o)
		fill(t, p.both, 1, entry("v"))
		e, _ := p.l1.Get(t.Context(), 1)
		for deadline := time.Now().Add(10 * time.Second); e == nil && time.Now().Before(deadline); e, _ = p.l1.Get(t.Context(), 1) {
			p.both.Get(t.Context(), 1)
		}
		s.Kill()
		for !c.o.NoBus && !p.space.Apart() && c.o.Behind == 0 { // the lease ends
			p.l1.Get(t.Context(), 1)
		}
		users := aside.New(p.both, func(context.Context, int) (string, error) { return "origin", nil }, invalidation.TTL(time.Hour), nil)
		v, err := users.Get(t.Context(), 1)
		if c.serves != (v == "v") || !errors.Is(err, c.err) {
			t.Errorf("%+v: %q, %v", c.o, v, err)
		}
		if st := p.space.Status(); c.err == nil && !c.serves && (st.Lanes[0].Trusted || st.Lanes[0].Since.IsZero()) {
			t.Errorf("%+v", st)
		}
	}
}

func TestAClosedProcessDoesNotKeepOthersWaiting(t *testing.T) {
	rdb := redistest.Client(t)
	o := redisstore.Options{Lease: time.Minute}
	a, b := withOptions(t, rdb, "closing", o), withOptions(t, rdb, "closing", o)
	if n := len(members(t, rdb)); n != 2 {
		t.Fatalf("%d members", n)
	}
	b.space.Close(t.Context())
	if n := len(members(t, rdb)); n != 1 {
		t.Errorf("%d members after one has left", n)
	}
	_ = a
}

func members(t testing.TB, rdb *redis.Client) (out []string) {
	for k := range rdb.HGetAll(t.Context(), "closing:b:{closing:0}").Val() {
		if strings.HasPrefix(k, "m:") {
			out = append(out, k)
		}
	}
	return out
}
