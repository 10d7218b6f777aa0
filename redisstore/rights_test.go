package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// problemsOf keeps the problems that it is told of.
type problemsOf struct {
	mu           sync.Mutex
	found, ended []cache.Problem
}

func (o *problemsOf) Observe(e cache.Event) {
	p, ok := errors.AsType[*cache.Problem](e.Err)
	if !ok {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	switch e.Kind {
	case cache.ProblemFound:
		o.found = append(o.found, *p)
	case cache.ProblemSolved:
		o.ended = append(o.ended, *p)
	}
}

// has reports whether a problem of a subject was found.
func (o *problemsOf) has(subject string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.ContainsFunc(o.found, func(p cache.Problem) bool { return p.Subject == subject })
}

func (o *problemsOf) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprintf("found %v, ended %v", o.found, o.ended)
}

// eventually fails the test if it takes more than a while until ok.
func eventually(t testing.TB, what func() string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := redisproc.Until(ctx, func() error {
		if ok() {
			return nil
		}
		return errors.New("not yet")
	}); err != nil {
		t.Fatal(what())
	}
}

// setUser makes a user of a server, or of all servers of a cluster, of exactly these rights.
func setUser(t testing.TB, admin redis.UniversalClient, name, rights string) {
	t.Helper()
	set := func(ctx context.Context, c *redis.Client) error {
		args := []any{"acl", "setuser", name, "reset", "on", ">secret"}
		for _, r := range strings.Fields(rights) {
			args = append(args, r)
		}
		return c.Do(ctx, args...).Err()
	}
	var err error
	if c, ok := admin.(*redis.ClusterClient); ok {
		err = c.ForEachShard(t.Context(), set)
	} else {
		err = set(t.Context(), admin.(*redis.Client))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// as returns a client of a user.
func as(t testing.TB, admin redis.UniversalClient, name string) redis.UniversalClient {
	var c redis.UniversalClient
	switch a := admin.(type) {
	case *redis.ClusterClient:
		c = redis.NewClusterClient(&redis.ClusterOptions{Addrs: a.Options().Addrs, Username: name, Password: "secret"})
	case *redis.Client:
		c = redis.NewClient(&redis.Options{Addr: a.Options().Addr, Username: name, Password: "secret", DB: a.Options().DB})
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// rightsOf returns the least rights for a space, as Check names them.
func rightsOf(t testing.TB, rdb redis.UniversalClient, name string, o *redisstore.Options) []string {
	t.Helper()
	report, err := redisstore.Check(t.Context(), rdb, name, o)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(report.Rights)
}

// near returns problems without those of a machine that is too busy for so short a lease.
func near(all []cache.Problem) []cache.Problem {
	return slices.DeleteFunc(slices.Clone(all), func(p cache.Problem) bool { return p.Code == redisstore.ProblemFar })
}

const shortLease = 100 * time.Millisecond

// useAll does everything that a space can do, and returns what has failed.
func useAll(ctx context.Context, a, b *redisstore.Space, round int) (failed []error) {
	note := func(what string, err error) {
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", what, err))
		}
	}
	one, two := redisstore.New[string, string](a, "users", nil), redisstore.New[string, string](b, "users", nil)
	key := func(k string) string { return fmt.Sprint(k, round) }
	load := func(s *redisstore.Store[string, string], k string, late bool, tags ...string) {
		slot := cache.Slot[string]{Key: k, LateTags: late}
		if !late {
			slot.Tags = tags
		}
		f, err := s.Reserve(ctx, slot)
		if note("Reserve", err); err == nil {
			out, err := f.Commit(ctx, entry("v", tags...))
			if note("Commit", err); err == nil && out[0] != cache.Stored {
				note("Commit", fmt.Errorf("the value is %v", out[0]))
			}
		}
	}
	// The second waits for the first, and the first knows that.
	if f, err := one.Reserve(ctx, cache.Slot[string]{Key: key("waited")}); err != nil {
		note("Reserve", err)
	} else {
		g, err := two.Reserve(ctx, cache.Slot[string]{Key: key("waited")})
		if note("Reserve after a wait", err); err == nil {
			g.Cancel(ctx)
		}
		f.Commit(ctx, entry("v"))
	}
	load(one, key("k"), true, "red", "tall")
	load(one, key("l"), false, "red")
	_, err := two.Get(ctx, key("k"))
	note("Get", err)
	if f, err := two.Reserve(ctx, cache.Slot[string]{Key: key("k"), Refresh: true, Replicated: true}); err == nil {
		f.Commit(ctx, entry("w"))
	}
	note("Invalidate", one.Invalidate(ctx, key("k")))
	note("InvalidateTags", a.InvalidateTags(ctx, "red"))
	note("Mutate", a.Mutate(ctx, []invalidation.Target{invalidation.Tag("tall"), invalidation.Keys(one, key("l"))}, func(context.Context) error { return nil }))
	if f, err := one.Quarantine(ctx, cache.Slot[string]{Key: key("q")}); err != nil {
		note("Quarantine", err)
	} else {
		_, err := f.Commit(ctx, entry("new"))
		note("Commit of a writer", err)
	}
	session, token := invalidation.NewSession(ctx)
	note("Invalidate", two.Invalidate(session, key("k")))
	note("WaitCoherent", b.WaitCoherent(ctx, token.Token()))
	note("Fence", a.Fence(ctx))
	note("Clear", b.Clear(ctx))
	return failed
}

// openAs returns a space of a user, with a lease so short that heartbeats are many.
func openAs(t testing.TB, admin redis.UniversalClient, user, name string, o redisstore.Options) *redisstore.Space {
	t.Helper()
	o.Lease, o.Timeout, o.LockWait, o.NoBreaker = shortLease, 10*time.Second, 10*time.Millisecond, true
	space, err := redisstore.Open(t.Context(), as(t, admin, user), name, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return space
}

// refusedTo returns what servers have refused to a user, as ACL LOG has it.
func refusedTo(t testing.TB, admin redis.UniversalClient, user string) (refused []string) {
	t.Helper()
	var mu sync.Mutex // the masters are asked at once
	ask := func(ctx context.Context, c *redis.Client) error {
		all, err := c.ACLLog(ctx, 1000).Result()
		mu.Lock()
		defer mu.Unlock()
		for _, e := range all {
			if e.Username == user {
				refused = append(refused, fmt.Sprintf("%s %s %s", e.Reason, e.Context, e.Object))
			}
		}
		return err
	}
	var err error
	if c, ok := admin.(*redis.ClusterClient); ok {
		err = c.ForEachMaster(t.Context(), ask)
	} else {
		err = ask(t.Context(), admin.(*redis.Client))
	}
	if err != nil {
		t.Fatal(err)
	}
	return refused
}

// handshake are commands at the beginning of a connection, of which the answer does not
// matter.
var handshake = []string{"command toplevel hello", "command toplevel client|setinfo", "command toplevel ping"}

func TestRights_TheLeastAreEnough(t *testing.T) {
	single := redis.NewClient(&redis.Options{Addr: redistest.Private(t).Addr()})
	second := redis.NewClient(&redis.Options{Addr: single.Options().Addr, DB: 1})
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: redistest.ClusterOf(t, redisproc.ClusterOptions{}).Addrs()})
	defer single.Close()
	defer second.Close()
	defer cluster.Close()
	for name, admin := range map[string]redis.UniversalClient{"single": single, "database 1": second, "cluster": cluster} {
		t.Run(name, func(t *testing.T) {
			user := strings.ReplaceAll(name, " ", "")
			setUser(t, admin, user, strings.Join(rightsOf(t, admin, "shop", nil), " "))
			var o problemsOf
			a, b := openAs(t, admin, user, "shop", redisstore.Options{Observer: &o}), openAs(t, admin, user, "shop", redisstore.Options{Observer: &o})
			for round := range 3 {
				if failed := useAll(t.Context(), a, b, round); failed != nil {
					t.Fatalf("%v; %v", failed, &o)
				}
			}
			for range 45 { // heartbeats: with one of forty, those who have died are forgotten
				if err := a.Fence(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			for _, r := range refusedTo(t, admin, user) {
				if !slices.Contains(handshake, r) {
					t.Errorf("refused: %s", r)
				}
			}
			report, err := a.Check(t.Context())
			if all := near(report.Problems()); err != nil || len(all) > 0 {
				t.Errorf("Check: %+v, %v", all, err)
			}
			if all := near(a.Problems()); len(all) > 0 || len(near(o.found)) > 0 || len(near(a.Status().Problems)) > 0 {
				t.Errorf("problems: %v, %v", all, &o)
			}
		})
	}
}

// harmless are the rights without which all calls still do what they promise, if later:
// other processes hear of invalidations by their heartbeats, and WaitCoherent waits for a
// lease.
var harmless = []string{"+publish", "+spublish", "+subscribe", "+ssubscribe", "&shop:*", "+hgetall", "+info", "+asking"}

// TestRights_EachThatIsMissingIsNamed takes each right away in turn.
func TestRights_EachThatIsMissingIsNamed(t *testing.T) {
	single := redis.NewClient(&redis.Options{Addr: redistest.Private(t).Addr()})
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: redistest.ClusterOf(t, redisproc.ClusterOptions{}).Addrs()})
	t.Cleanup(func() { single.Close(); cluster.Close() })
	all := rightsOf(t, single, "shop", nil)
	for i, missing := range all {
		t.Run(missing, func(t *testing.T) { missingRight(t, single, fmt.Sprint("user", i), all, missing) })
	}
	for i, missing := range rightsOf(t, cluster, "shop", nil) {
		if !slices.Contains(all, missing) && missing != "+asking" { // of which only a slot that moves has need
			t.Run(missing, func(t *testing.T) {
				missingRight(t, cluster, fmt.Sprint("user", i), rightsOf(t, cluster, "shop", nil), missing)
			})
		}
	}
}

func missingRight(t *testing.T, admin redis.UniversalClient, user string, all []string, missing string) {
	subject := map[string]string{"~shop:*": "keys shop:v:*", "&shop:*": "channel shop:*", "+cluster|slots": "CLUSTER SLOTS"}[missing]
	if subject == "" {
		subject = strings.ToUpper(missing[1:])
	}
	setUser(t, admin, user, strings.Join(slices.DeleteFunc(slices.Clone(all), func(r string) bool { return r == missing }), " "))
	var o problemsOf
	a, b := openAs(t, admin, user, "shop", redisstore.Options{Observer: &o}), openAs(t, admin, user, "shop", redisstore.Options{Observer: &o})
	report, err := a.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	named := slices.IndexFunc(report.Problems(), func(p cache.Problem) bool { return p.Subject == subject })
	if named < 0 {
		t.Fatalf("Check does not name %s: %+v", subject, report.Problems())
	}
	if p := report.Problems()[named]; p.Effect == "" || !strings.Contains(p.Remedy, missing) || p.Err == nil {
		t.Errorf("Check says %+v", p)
	}
	for _, p := range near(report.Problems()) { // of each master
		if p.Subject != subject && missing != "~shop:*" {
			t.Errorf("Check has another problem: %+v", p)
		}
	}
	if c, ok := admin.(*redis.Client); ok {
		c.ScriptFlush(t.Context()) // those who may not use EVAL can do with what others have left
	}
	var failed []error
	round := 0
	eventually(t, func() string { return fmt.Sprintf("the space does not name %s: %v; %v", subject, &o, failed) }, func() bool {
		round++
		failed = useAll(t.Context(), a, b, round)
		return o.has(subject)
	})
	if slices.Contains(harmless, missing) { // what the machine holds up for longer than the lease is tried again
		eventually(t, func() string { return fmt.Sprintf("without %s there is %v", missing, failed) }, func() bool {
			round++
			failed = useAll(t.Context(), a, b, round)
			return failed == nil
		})
	}
	for _, p := range slices.Concat(a.Problems(), a.Status().Problems) {
		if p.Subject == "" || p.Effect == "" || p.Remedy == "" {
			t.Errorf("the problem %+v does not say everything", p)
		}
	}
	setUser(t, admin, user, strings.Join(all, " ")) // which ends its connections
	eventually(t, func() string { return fmt.Sprintf("the problem does not end: %v, %v", a.Problems(), b.Problems()) }, func() bool {
		failed = useAll(t.Context(), a, b, round+1)
		return len(near(a.Problems()))+len(near(b.Problems())) == 0 && failed == nil
	})
}

// TestRights_NothingIsRemovedForWantOfOne takes away the commands whose error was once
// taken for that of a key of another type, which is removed.
func TestRights_NothingIsRemovedForWantOfOne(t *testing.T) {
	admin := redis.NewClient(&redis.Options{Addr: redistest.Private(t).Addr()})
	t.Cleanup(func() { admin.Close() })
	all := rightsOf(t, admin, "shop", nil)
	setUser(t, admin, "whole", strings.Join(all, " "))
	for _, missing := range []string{"+getrange", "+hdel", "+hmget"} {
		t.Run(missing, func(t *testing.T) {
			user := "without" + missing[1:]
			setUser(t, admin, user, strings.Join(slices.DeleteFunc(slices.Clone(all), func(r string) bool { return r == missing }), " "))
			whole := openAs(t, admin, "whole", "shop", redisstore.Options{NoBus: true})
			s := redisstore.New[string, string](whole, "users", nil)
			fill(t, s, "k", entry("v", "tag"))
			writer, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "held"})
			if err != nil {
				t.Fatal(err)
			}
			if err := whole.InvalidateTags(t.Context(), "other"); err != nil {
				t.Fatal(err)
			}
			held, _ := admin.Get(t.Context(), "shop:v:users:held").Result()
			tail, _ := admin.HGet(t.Context(), "shop:b:{shop:0}", "tail").Result()
			if held == "" || tail == "" {
				t.Fatalf("the quarantine is %q, the tail %q", held, tail)
			}
			poor := openAs(t, admin, user, "shop", redisstore.Options{NoBus: true})
			p := redisstore.New[string, string](poor, "users", nil)
			if f, err := p.Reserve(t.Context(), cache.Slot[string]{Key: "k", LateTags: true}, cache.Slot[string]{Key: "held"}); err == nil {
				f.Commit(t.Context(), entry("w", "tag"), entry("w"))
			}
			if err := poor.InvalidateTags(t.Context(), "another"); err == nil && missing == "+hdel" {
				t.Error("an invalidation without HDEL returns nil")
			}
			if got, _ := admin.Get(t.Context(), "shop:v:users:held").Result(); got != held {
				t.Errorf("the quarantine was %q and is %q", held, got)
			}
			if got, _ := admin.HGet(t.Context(), "shop:b:{shop:0}", "tail").Result(); got == "" || got[:16] != tail[:16] {
				t.Errorf("the log was %q and is %q", tail, got)
			}
			writer.Cancel(t.Context())
		})
	}
}

// TestRights_ReadersDoNotAskInVainAgainAndAgain has users who may not read, or not store.
func TestRights_ReadersDoNotAskInVainAgainAndAgain(t *testing.T) {
	admin := redis.NewClient(&redis.Options{Addr: redistest.Private(t).Addr()})
	t.Cleanup(func() { admin.Close() })
	all := rightsOf(t, admin, "shop", nil)
	for _, missing := range []string{"+mget", "+evalsha", "+time", "~shop:*"} {
		t.Run(missing, func(t *testing.T) {
			user := "vain" + strings.Trim(missing, "+~:*")
			setUser(t, admin, user, strings.Join(slices.DeleteFunc(slices.Clone(all), func(r string) bool { return r == missing }), " "))
			space := openAs(t, admin, user, "shop", redisstore.Options{NoBus: true})
			s := redisstore.New[string, string](space, "users", nil)
			asked := 0
			for range 1000 {
				if _, err := s.Get(t.Context(), "k"); err != nil && errors.Is(err, cache.ErrBreakerOpen) {
					continue
				}
				if _, err := s.Reserve(t.Context(), cache.Slot[string]{Key: "k"}); !errors.Is(err, cache.ErrBreakerOpen) {
					asked++
				}
			}
			if asked > 100 { // one in a second, after the first three
				t.Errorf("of 1000 fills %d were begun", asked)
			}
		})
	}
}
