package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func TestParseTarget(t *testing.T) {
	for text, want := range map[string]struct {
		kind    kind
		address string
		seeds   int
	}{
		"":                         {kind: embedded},
		"spawn":                    {kind: spawned},
		"redis://:secret@host:1/2": {remote, "host:1", 0},
		"rediss://host":            {remote, "host:6379", 0},
		"host:7000":                {remote, "host:7000", 0},
		"[::1]:7000":               {remote, "[::1]:7000", 0},
		"a:7000,b:7001":            {remote, "a:7000,b:7001", 2},
	} {
		got, err := ParseTarget(text)
		if err != nil || got.kind != want.kind || len(got.seeds) != want.seeds {
			t.Errorf("%q is %+v, %v", text, got, err)
			continue
		}
		if got.kind == remote && got.address() != want.address {
			t.Errorf("%q has the address %q", text, got.address())
		}
	}
	for _, text := range []string{"host", "a:1,", ":6379", "host:0", "host:x", "http://host", "redis://:secret@host:x", "redis://h/zero"} {
		if got, err := ParseTarget(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func open(t *testing.T, target string) *Server {
	t.Helper()
	tg, err := ParseTarget(target)
	if err != nil {
		t.Fatal(err)
	}
	s, err := tg.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSweepRemovesThePrefixOnly(t *testing.T) {
	for _, target := range []string{"", "spawn", "spawn-cluster"} {
		t.Run(target, func(t *testing.T) { checkSweep(t, open(t, target)) })
	}
}

func checkSweep(t *testing.T, s *Server) {
	ctx := t.Context()
	var others []string
	p := s.Client.Pipeline()
	for i := range 2500 {
		p.Set(ctx, fmt.Sprintf("mine:%d", i), 1, 0)
	}
	for i := range 20 {
		others = append(others, fmt.Sprintf("xmine:%d", i), fmt.Sprintf("mine%d", i))
	}
	for _, k := range others {
		p.Set(ctx, k, 1, 0)
	}
	if _, err := p.Exec(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Sweep(ctx, "mine:"); err != nil || n != 2500 {
		t.Errorf("removed %d keys, %v", n, err)
	}
	if n := s.Client.DBSize(ctx).Val(); n != int64(len(others)) {
		t.Errorf("%d keys of others are left, there were %d", n, len(others))
	}
	for _, prefix := range []string{"", "*", "a?"} {
		if _, err := s.Sweep(ctx, prefix); err == nil {
			t.Errorf("the prefix %q is accepted", prefix)
		}
	}
}

func TestNodeLeadsToItsCluster(t *testing.T) {
	s := open(t, "spawn-cluster")
	if f := s.Info.Facts; f["redis_version"] != s.Info.Version || f["role"] != "master" || f["maxmemory_policy"] == "" {
		t.Errorf("the server says of itself %v", f)
	}
	if !s.Info.Cluster || s.Info.Kind != "spawned" || s.Info.Version == "" {
		t.Errorf("the cluster is %+v", s.Info)
	}
	node, _, _ := strings.Cut(s.Info.Address, ",")
	again := open(t, "redis://"+node)
	if _, ok := again.Client.(*redis.ClusterClient); !ok || !again.Info.Cluster || again.Info.Address != node {
		t.Errorf("the client is %v of %+v", again.Client, again.Info)
	}
	// The server outlives a client that only came to visit.
	if err := s.Client.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestUnreachableServerIsOneLine(t *testing.T) {
	s := open(t, "")
	address := s.Client.(*redis.Client).Options().Addr
	s.stop()
	tg, err := ParseTarget("redis://:secret@" + address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = tg.Open(t.Context())
	if err == nil || strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), address) {
		t.Errorf("error is %v", err)
	}
}

func TestInfo(t *testing.T) {
	if v := Fact("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\n", "redis_mode"); v != "standalone" {
		t.Errorf("the mode is %q", v)
	}
	for want, i := range map[string]Info{
		"Redis 7 Cluster at a:1":                    {Kind: "remote", Version: "7", Cluster: true, Address: "a:1"},
		"Redis 7, started for this run":             {Kind: "spawned", Version: "7"},
		"embedded miniredis: not Redis performance": open(t, "").Info,
	} {
		if got := i.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
