package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func TestDoctor_WrongUsage(t *testing.T) {
	const at = "doctor --redis 127.0.0.1:1 --space shop "
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for args, part := range map[string]string{
		"doctor":                                       "--redis is missing",
		"doctor --redis spawn --space shop":            "--redis is spawn",
		"doctor --redis 127.0.0.1:1":                   "--space is missing",
		"doctor --redis x --space shop":                "--redis: ",
		"doctor --redis 127.0.0.1:1 --space a:b":       `--space is "a:b"`,
		at + "--client ring":                           `--client is "ring"`,
		at + "--client cluster --sentinel-master main": "sentinels are not for clusters",
		at + "--timeout 0s":                            "--timeout is 0s",
		at + "--lease 1ms":                             "--lease is 1ms",
		at + "--idle -1s":                              "--idle is -1s",
		at + "--replicas -1":                           "--replicas is -1",
		at + "--ca " + empty:                           "use rediss://",
		"doctor --redis rediss://127.0.0.1:1 --space shop --ca " + empty:          "no certificate",
		"doctor --redis rediss://127.0.0.1:1 --space shop --ca /nowhere/file.pem": "/nowhere/file.pem",
		at + "extra": "extra",
	} {
		stdout, stderr, code := larder(t, strings.Fields(args)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

// doctor runs the command and checks its exit code.
func doctor(t *testing.T, want int, args ...string) string {
	t.Helper()
	stdout, stderr, code := larder(t, append([]string{"doctor", "--space", "patient"}, args...)...)
	if code != want || stderr != "" {
		t.Errorf("exit code %d, not %d: %s\n%s", code, want, stdout, stderr)
	}
	return stdout
}

func TestDoctor_OfServersThatAreWell(t *testing.T) {
	secure := redistest.PrivateTLS(t)
	sentinel, secureSentinel := redistest.Sentinel(t), redistest.SentinelTLS(t)
	secureCluster := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: redistest.Authority(t)})
	node := redistest.Cluster(t).Addrs()[0]
	ca := filepath.Join(secure.Dir(), "ca.pem")
	for name, args := range map[string][]string{
		"single":                    {"--redis", redistest.Standalone(t).Addr()},
		"database":                  {"--redis", "redis://" + redistest.Standalone(t).Addr() + "/1"},
		"cluster":                   {"--redis", strings.Join(redistest.Cluster(t).Addrs(), ",")},
		"a node leads to a cluster": {"--redis", node},
		"TLS":                       {"--redis", "rediss://" + secure.Addr(), "--ca", ca},
		"TLS to a cluster":          {"--redis", "rediss://" + secureCluster.Addrs()[0], "--ca", ca},
		"TLS to sentinels":          {"--redis", "rediss://" + secureSentinel.Addrs()[0], "--sentinel-master", secureSentinel.MasterName(), "--ca", ca},
		"idling":                    {"--redis", redistest.Standalone(t).Addr(), "--idle", "10ms"},
		"idling, in a cluster":      {"--redis", strings.Join(redistest.Cluster(t).Addrs(), ","), "--idle", "10ms"},
		"Sentinel":                  {"--redis", strings.Join(sentinel.Addrs(), ","), "--sentinel-master", sentinel.MasterName()},
	} {
		t.Run(name, func(t *testing.T) {
			out := doctor(t, exitOK, args...)
			if !strings.Contains(out, "0 problems") || !strings.Contains(out, "the least rights of a user: ~patient:*") {
				t.Errorf("it prints %s", out)
			}
		})
	}
	if out := doctor(t, exitOK, "--redis", redistest.Standalone(t).Addr(), "--all"); !strings.Contains(out, "command EVALSHA") {
		t.Errorf("with --all it prints %s", out)
	}
}

func TestDoctor_SaysWhatIsWrongAndWhatToDo(t *testing.T) {
	private := redistest.Private(t, "--maxmemory-policy", "volatile-ttl", "--maxmemory", "100mb")
	admin := redis.NewClient(&redis.Options{Addr: private.Addr()})
	defer admin.Close()
	if err := admin.Do(t.Context(), "acl", "setuser", "shop", "on", ">secret", "~patient:*", "+@all", "-publish").Err(); err != nil {
		t.Fatal(err)
	}
	user := "redis://shop:secret@" + private.Addr()
	for name, c := range map[string]struct {
		args []string
		want []string
	}{
		"rights":            {[]string{"--redis", user}, []string{"command PUBLISH", "grant +publish", "grant &patient:*", "volatile-ttl", "allkeys-lru", "3 problems"}},
		"nobody there":      {[]string{"--redis", "127.0.0.1:1"}, []string{"nothing listens"}},
		"wrong password":    {[]string{"--redis", "redis://shop:wrong@" + private.Addr()}, []string{"see the name and the password"}},
		"unknown authority": {[]string{"--redis", "rediss://" + redistest.PrivateTLS(t).Addr()}, []string{"RootCAs"}},
		"a node, plainly":   {[]string{"--redis", redistest.Cluster(t).Addrs()[0], "--client", "single"}, []string{"redis.NewClusterClient"}},
		"no cluster":        {[]string{"--redis", redistest.Standalone(t).Addr(), "--client", "cluster"}, []string{"redis.NewClient"}},
		"too few replicas":  {[]string{"--redis", redistest.Standalone(t).Addr(), "--replicas", "1"}, []string{"add replicas"}},
	} {
		t.Run(name, func(t *testing.T) {
			out := doctor(t, exitRun, c.args...)
			for _, w := range c.want {
				if !strings.Contains(out, w) {
					t.Errorf("it does not say %q: %s", w, out)
				}
			}
			if strings.Contains(out, "secret") {
				t.Errorf("it prints the password: %s", out)
			}
			var report struct {
				OK       bool `json:"ok"`
				Findings []struct{ Verdict redisstore.Verdict }
			}
			raw := doctor(t, exitRun, append(c.args, "--json")...)
			if err := json.Unmarshal([]byte(raw), &report); err != nil || report.OK || len(report.Findings) == 0 {
				t.Errorf("as JSON it is %s, %v", raw, err)
			}
		})
	}
}

// behind returns the address of a proxy in front of a server.
func behind(t *testing.T, addr string) (string, *netfault.Proxy) {
	t.Helper()
	p, err := netfault.Start(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p.Addr(), p
}

// Each deployment that costs a promise is told by name, with what to do.
func TestDoctor_OfDeployments(t *testing.T) {
	secure := redistest.PrivateTLS(t)
	ca := filepath.Join(secure.Dir(), "ca.pem")
	for name, deployment := range map[string]func(t *testing.T) (args, want []string){
		"a server that hangs": func(t *testing.T) (args, want []string) {
			addr, p := behind(t, redistest.Standalone(t).Addr())
			p.Blackhole()
			return []string{addr}, []string{"there is no answer in", "firewall"}
		},
		"a server that hangs, over TLS": func(t *testing.T) (args, want []string) {
			addr, p := behind(t, secure.Addr())
			p.Blackhole()
			return []string{"rediss://" + addr, "--ca", ca}, []string{"there is no answer in", "firewall"}
		},
		"a long line and a short timeout": func(t *testing.T) (args, want []string) {
			addr, p := behind(t, redistest.Standalone(t).Addr())
			p.Set(netfault.Fault{Latency: 25 * time.Millisecond})
			return []string{addr, "--timeout", "10ms"}, []string{"set Options.Timeout to"}
		},
		"a master of a cluster is dead": func(t *testing.T) (args, want []string) {
			c := redistest.ClusterOf(t, redisproc.ClusterOptions{Args: []string{"--cluster-require-full-coverage", "no"}})
			c.Servers()[1].Kill()
			return []string{c.Addrs()[0]}, []string{c.Addrs()[1], "nothing listens"}
		},
		"a primary that was demoted": func(t *testing.T) (args, want []string) {
			s := redistest.Private(t)
			c := redis.NewClient(&redis.Options{Addr: s.Addr()})
			defer c.Close()
			if err := c.SlaveOf(t.Context(), "127.0.0.1", "1").Err(); err != nil {
				t.Fatal(err)
			}
			return []string{s.Addr()}, []string{"replica", "use the address of the primary"}
		},
		"a balancer that forgets": func(t *testing.T) (args, want []string) {
			addr, p := behind(t, redistest.Standalone(t).Addr())
			p.Set(netfault.Fault{ForgetAfter: 50 * time.Millisecond})
			return []string{addr, "--idle", "200ms"}, []string{"idles for 200ms", "without a word", "longer than a minute"}
		},
		"a balancer that resets": func(t *testing.T) (args, want []string) {
			addr, p := behind(t, redistest.Standalone(t).Addr())
			p.Set(netfault.Fault{ForgetAfter: 50 * time.Millisecond, ForgetByReset: true})
			return []string{addr, "--idle", "200ms"}, []string{"has ended it", "longer than a minute"}
		},
		"an authority that is not known, of a cluster": func(t *testing.T) (args, want []string) {
			c := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: redistest.Authority(t)})
			return []string{"rediss://" + c.Addrs()[0], "--client", "cluster"}, []string{"RootCAs"}
		},
		"an authority that is not known, of sentinels": func(t *testing.T) (args, want []string) {
			s := redistest.SentinelTLS(t)
			return []string{"rediss://" + s.Addrs()[0], "--sentinel-master", s.MasterName()}, []string{"RootCAs"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			args, want := deployment(t)
			out := doctor(t, exitRun, append([]string{"--redis"}, args...)...)
			for _, w := range append(want, "what to do") {
				if !strings.Contains(out, w) {
					t.Errorf("it does not say %q: %s", w, out)
				}
			}
		})
	}
}
