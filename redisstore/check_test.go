package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// to returns a client of an address.
func to(t testing.TB, o redis.Options) *redis.Client {
	c := redis.NewClient(&o)
	t.Cleanup(func() { c.Close() })
	return c
}

// examine returns what Check finds with a client.
func examine(t testing.TB, rdb redis.UniversalClient, o *redisstore.Options) redisstore.CheckReport {
	t.Helper()
	report, err := redisstore.Check(t.Context(), rdb, "checked", o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// wantOnly fails the test unless there is one problem, of a code and with words in its
// remedy. A cluster has it at each master.
func wantOnly(t testing.TB, r redisstore.CheckReport, code cache.ProblemCode, remedy string) {
	t.Helper()
	all := r.Problems()
	if len(all) == 0 || r.OK() {
		t.Fatalf("there is no problem: %+v", r.Findings)
	}
	for _, p := range all {
		if p.Code != code || !strings.Contains(p.Remedy, remedy) || p.Effect == "" || p.Subject == "" {
			t.Errorf("the problem is %+v, not %s with %q", p, code, remedy)
		}
	}
}

// found returns the finding of a need.
func found(t testing.TB, r redisstore.CheckReport, need string) redisstore.Finding {
	t.Helper()
	i := slices.IndexFunc(r.Findings, func(f redisstore.Finding) bool { return f.Need == need })
	if i < 0 {
		t.Fatalf("nothing is said of %q: %+v", need, r.Findings)
	}
	return r.Findings[i]
}

func TestCheck_ChangesNothing(t *testing.T) {
	cluster := redistest.ClusterOf(t, redisproc.ClusterOptions{})
	for name, rdb := range map[string]redis.UniversalClient{
		"single":  to(t, redis.Options{Addr: redistest.Private(t).Addr()}),
		"cluster": redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()}),
	} {
		t.Run(name, func(t *testing.T) {
			defer rdb.Close()
			r := examine(t, rdb, nil)
			if !r.OK() || r.Took <= 0 || r.Rights == "" {
				t.Errorf("of a new server it says %+v", r)
			}
			for _, need := range []string{"connection", "kind of server", "version", "role", "message", "latency", "clock", "replication", "persistence", "settings"} {
				if f := found(t, r, need); f.Verdict != redisstore.VerdictOK {
					t.Errorf("%s: %+v", need, f)
				}
			}
			size := func(ctx context.Context, c *redis.Client) error {
				if n, err := c.DBSize(ctx).Result(); n != 0 || err != nil {
					t.Errorf("it leaves %d keys, %v", n, err)
				}
				return nil
			}
			if c, ok := rdb.(*redis.ClusterClient); ok {
				c.ForEachMaster(t.Context(), size)
			} else {
				size(t.Context(), rdb.(*redis.Client))
			}
		})
	}
}

// TestCheck_DisturbsNobody looks at a space in use: its processes miss nothing.
func TestCheck_DisturbsNobody(t *testing.T) {
	for name, rdb := range servers(t) {
		t.Run(name, func(t *testing.T) {
			p := withOptions(t, rdb, "undisturbed", redisstore.Options{Lease: time.Minute, Timeout: 10 * time.Second})
			fill(t, p.both, 1, entry("v"))
			warm(t, p, 1)
			for range 3 {
				if r, err := p.space.Check(t.Context()); err != nil || !r.OK() {
					t.Fatalf("Check: %+v, %v", r.Problems(), err)
				}
			}
			fence(t, p)
			if e, err := p.l1.Get(t.Context(), 1); e == nil || err != nil {
				t.Errorf("memory has lost its entry: %v, %v", e, err)
			}
			for _, l := range p.space.Status().Lanes {
				if l.Gaps > 0 {
					t.Errorf("%d gaps", l.Gaps)
				}
			}
			p.space.Close(context.Background())
			if _, err := p.space.Check(t.Context()); !errors.Is(err, cache.ErrClosed) {
				t.Errorf("of a closed space: %v", err)
			}
		})
	}
}

func TestCheck_Connections(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := nobody.Addr().String()
	nobody.Close()
	secure, plain := redistest.PrivateTLS(t), redistest.Private(t, "--requirepass", "secret")
	hangs := redistest.Private(t)
	halt(t, hangs)
	for name, c := range map[string]struct {
		o      redis.Options
		code   cache.ProblemCode
		remedy string
	}{
		"refused":             {redis.Options{Addr: gone}, redisstore.ProblemConnection, "nothing listens"},
		"no such name":        {redis.Options{Addr: "nowhere.invalid:6379"}, redisstore.ProblemConnection, "DNS"},
		"hangs":               {redis.Options{Addr: hangs.Addr()}, redisstore.ProblemConnection, "hangs"},
		"unknown authority":   {redis.Options{Addr: secure.Addr(), TLSConfig: &tls.Config{}}, redisstore.ProblemTLS, "RootCAs"},
		"without TLS":         {redis.Options{Addr: secure.Addr()}, redisstore.ProblemConnection, "rediss://"},
		"TLS where none is":   {redis.Options{Addr: plain.Addr(), TLSConfig: &tls.Config{}}, redisstore.ProblemConnection, "TLS"},
		"without password":    {redis.Options{Addr: plain.Addr()}, redisstore.ProblemAccess, "password"},
		"wrong password":      {redis.Options{Addr: plain.Addr(), Password: "wrong"}, redisstore.ProblemAccess, "password"},
		"no such database":    {redis.Options{Addr: plain.Addr(), Password: "secret", DB: 99}, redisstore.ProblemAccess, "use 0"},
		"a dialer that hangs": {redis.Options{Addr: gone, Dialer: hang}, redisstore.ProblemConnection, "no answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := examine(t, to(t, c.o), nil)
			wantOnly(t, r, c.code, c.remedy)
			if len(r.Findings) != 1 {
				t.Errorf("it goes on without a connection: %+v", r.Findings)
			}
			if r.Took > 20*time.Second {
				t.Errorf("it has taken %v", r.Took)
			}
		})
	}
}

// hang is a Dialer that heeds nothing, for as long as tests run.
func hang(ctx context.Context, _, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestCheck_WithTLS(t *testing.T) {
	r := examine(t, to(t, redis.Options{Addr: redistest.PrivateTLS(t).Addr(), TLSConfig: redistest.Authority(t).ClientTLS()}), nil)
	if !r.OK() {
		t.Errorf("%+v", r.Problems())
	}
}

func TestCheck_AReplica(t *testing.T) {
	master := redistest.Private(t)
	host, port, _ := strings.Cut(master.Addr(), ":")
	replica := redistest.Private(t, "--replicaof", host+" "+port)
	wantOnly(t, examine(t, to(t, redis.Options{Addr: replica.Addr()}), nil), redisstore.ProblemReplica, "address of the primary")
	rdb := to(t, redis.Options{Addr: master.Addr()})
	rdb.Set(t.Context(), "written", "", 0)
	level(t, rdb)
	if f := found(t, examine(t, rdb, nil), "replication"); f.Verdict != redisstore.VerdictWarning || !strings.Contains(f.Problem.Remedy, "Replicas.N to 1") {
		t.Errorf("of a replica that nobody waits for: %+v", f)
	}
	if f := found(t, examine(t, rdb, &redisstore.Options{Replicas: redisstore.Replicas{N: 1}}), "replication"); f.Verdict != redisstore.VerdictOK {
		t.Errorf("of a replica: %+v", f)
	}
	wantOnly(t, examine(t, rdb, &redisstore.Options{Replicas: redisstore.Replicas{N: 2}}), redisstore.ProblemReplication, "lower Options.Replicas.N")
}

func TestCheck_ASentinel(t *testing.T) {
	s := redistest.Sentinel(t)
	wantOnly(t, examine(t, to(t, redis.Options{Addr: s.Addrs()[0]}), nil), redisstore.ProblemConnection, "redis.NewFailoverClient")
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: s.MasterName(), SentinelAddrs: s.Addrs()})
	defer rdb.Close()
	if r := examine(t, rdb, nil); !r.OK() {
		t.Errorf("%+v", r.Problems())
	}
}

func TestCheck_WhatAFullServerThrowsOut(t *testing.T) {
	for _, c := range []struct {
		policy, limit string
		verdict       redisstore.Verdict
	}{
		{"volatile-ttl", "100mb", redisstore.VerdictProblem},
		{"volatile-ttl", "0", redisstore.VerdictProblem},
		{"noeviction", "500kb", redisstore.VerdictProblem}, // it is full from the beginning
		{"noeviction", "100mb", redisstore.VerdictWarning},
		{"noeviction", "0", redisstore.VerdictWarning},
		{"allkeys-random", "100mb", redisstore.VerdictWarning},
		{"volatile-random", "100mb", redisstore.VerdictWarning},
		{"allkeys-lru", "100mb", redisstore.VerdictOK},
		{"volatile-lru", "100mb", redisstore.VerdictOK},
		{"allkeys-lfu", "100mb", redisstore.VerdictOK},
	} {
		t.Run(c.policy+" "+c.limit, func(t *testing.T) {
			rdb := to(t, redis.Options{Addr: redistest.Private(t, "--maxmemory-policy", c.policy, "--maxmemory", c.limit).Addr()})
			f := found(t, examine(t, rdb, nil), "eviction")
			if f.Verdict != c.verdict || (f.Problem == nil) != (c.verdict == redisstore.VerdictOK) || !strings.Contains(f.Detail, c.policy) {
				t.Errorf("it says %+v", f)
			}
			if c.verdict == redisstore.VerdictProblem && f.Problem.Code != redisstore.ProblemEviction {
				t.Errorf("the code is %s", f.Problem.Code)
			}
		})
	}
}

func TestCheck_WhatAServerHasAfterARestart(t *testing.T) {
	for name, c := range map[string]struct {
		args    []string
		verdict redisstore.Verdict
	}{
		"nothing":       {nil, redisstore.VerdictOK},
		"a snapshot":    {[]string{"--save", "60 1"}, redisstore.VerdictWarning},
		"a second less": {[]string{"--appendonly", "yes"}, redisstore.VerdictWarning},
		"all":           {[]string{"--appendonly", "yes", "--appendfsync", "always"}, redisstore.VerdictOK},
	} {
		t.Run(name, func(t *testing.T) {
			f := found(t, examine(t, to(t, redis.Options{Addr: redistest.Private(t, c.args...).Addr()}), nil), "persistence")
			if f.Verdict != c.verdict {
				t.Errorf("it says %+v", f)
			}
		})
	}
}

func TestCheck_RoundTrips(t *testing.T) {
	proxy, err := netfault.Start(redistest.Standalone(t).Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	rdb := to(t, redis.Options{Addr: proxy.Addr()})
	proxy.Set(netfault.Fault{DelayReplies: 60 * time.Millisecond})
	wantOnly(t, examine(t, rdb, &redisstore.Options{Timeout: 50 * time.Millisecond, Lease: 20 * time.Second}), redisstore.ProblemFar, "Options.Timeout")
	wantOnly(t, examine(t, rdb, &redisstore.Options{Timeout: 5 * time.Second, Slow: 10 * time.Millisecond, Lease: 20 * time.Second}), redisstore.ProblemFar, "Options.Slow")
	wantOnly(t, examine(t, rdb, &redisstore.Options{Timeout: 10 * time.Second, Slow: 10 * time.Second, Lease: 100 * time.Millisecond}), redisstore.ProblemFar, "Options.Lease")
}

func TestCheck_OtherSettings(t *testing.T) {
	rdb := to(t, redis.Options{Addr: redistest.Private(t).Addr()})
	rdb.HSet(t.Context(), "checked:b:{checked:0}", "settings", "larder keys=99")
	wantOnly(t, examine(t, rdb, nil), redisstore.ProblemSettings, "another name")
}

func TestCheck_ADeadMasterOfACluster(t *testing.T) {
	cluster := redistest.ClusterOf(t, redisproc.ClusterOptions{Args: []string{"--cluster-node-timeout", "500", "--cluster-require-full-coverage", "no"}})
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
	defer rdb.Close()
	cluster.Servers()[1].Kill()
	r := examine(t, rdb, nil)
	wantOnly(t, r, redisstore.ProblemConnection, "nothing listens")
	dead := 0
	for _, f := range r.Findings {
		if f.Verdict == redisstore.VerdictProblem && f.Node == cluster.Addrs()[1] {
			dead++
		}
	}
	if dead != 1 || found(t, r, "message").Verdict != redisstore.VerdictOK {
		t.Errorf("it says %+v", r.Findings)
	}
}

func TestCheck_AContextThatEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := redisstore.Check(ctx, redistest.Client(t), "checked", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v", err)
	}
	for name, want := range map[string]string{"a:b": "name", "": "name"} {
		if _, err := redisstore.Check(t.Context(), redistest.Client(t), name, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	if _, err := redisstore.Check(t.Context(), redistest.Client(t), "checked", &redisstore.Options{Lease: -1}); err == nil || !strings.Contains(err.Error(), "Lease") {
		t.Errorf("a bad option: %v", err)
	}
}
