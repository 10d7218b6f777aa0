//go:build unix

package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// site is a deployment of Redis with a network in between that can be disturbed.
type site struct {
	kind    string
	tls     *tls.Config
	proxies map[string]*netfault.Proxy // by address of a server
	asked   []string                   // addresses of sentinels
	open    func() redis.UniversalClient
	server  *redisproc.Server // of a single one
	pause   func() error
	resume  func() error
}

// atSites runs a test in each deployment, with and without TLS.
func atSites(t *testing.T, f func(t *testing.T, s *site)) {
	for _, kind := range []string{"single", "sentinel", "cluster"} {
		for _, secure := range []bool{false, true} {
			name := kind + "/plain"
			if secure {
				name = kind + "/TLS"
			}
			t.Run(name, func(t *testing.T) {
				f(t, newSite(t, kind, secure))
			})
		}
	}
}

func newSite(t *testing.T, kind string, secure bool) *site {
	s := &site{kind: kind, proxies: map[string]*netfault.Proxy{}}
	var authority *redisproc.Authority
	if secure {
		authority = redistest.Authority(t)
		s.tls = authority.ClientTLS()
	}
	switch kind {
	case "single":
		server := redistest.Private(t)
		if secure {
			server = redistest.PrivateTLS(t)
		}
		s.server = server
		addr := s.proxy(t, server.Addr())
		s.pause, s.resume = server.Pause, server.Resume
		s.open = func() redis.UniversalClient { return redis.NewClient(&redis.Options{Addr: addr, TLSConfig: s.tls}) }
	case "sentinel":
		all := redistest.Sentinel
		if secure {
			all = redistest.SentinelTLS
		}
		servers := all(t)
		for _, addr := range servers.Addrs() {
			s.proxy(t, addr)
		}
		s.asked = servers.Addrs()
		for _, server := range servers.Servers() {
			s.proxy(t, server.Addr())
		}
		s.pause, s.resume = servers.Pause, servers.Resume
		s.open = func() redis.UniversalClient {
			return redis.NewFailoverClient(&redis.FailoverOptions{
				MasterName: servers.MasterName(), SentinelAddrs: servers.Addrs(), Dialer: s.dial, TLSConfig: s.tls,
			})
		}
	case "cluster":
		servers := redistest.ClusterOf(t, redisproc.ClusterOptions{Authority: authority})
		var addrs []string
		for _, server := range servers.Servers() {
			addrs = append(addrs, s.proxy(t, server.Addr()))
		}
		s.announce(t, servers)
		s.pause = func() error { return everyServer(servers, (*redisproc.Server).Pause) }
		s.resume = func() error { return everyServer(servers, (*redisproc.Server).Resume) }
		s.open = func() redis.UniversalClient {
			return redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, TLSConfig: s.tls})
		}
	}
	t.Cleanup(func() { s.resume() })
	return s
}

func everyServer(c *redisproc.Cluster, f func(*redisproc.Server) error) error {
	var errs []error
	for _, s := range c.Servers() {
		errs = append(errs, f(s))
	}
	return errors.Join(errs...)
}

// client returns a client as a user would make it, by go-redis' own defaults.
func (s *site) client(t testing.TB) redis.UniversalClient {
	c := s.open()
	t.Cleanup(func() { c.Close() })
	return c
}

// admin returns a client of a single server that is not disturbed.
func (s *site) admin(t *testing.T) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: s.server.Addr(), TLSConfig: s.tls})
	t.Cleanup(func() { c.Close() })
	return c
}

// lines counts the lines of a text.
func lines(text string) int { return strings.Count(text, "\n") }

// proxy puts a proxy in front of a server and returns its address.
func (s *site) proxy(t *testing.T, addr string) string {
	p, err := netfault.Start(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	s.proxies[addr] = p
	return p.Addr()
}

// dial is a user's Dialer, which finds the proxies.
func (s *site) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	p := s.proxies[addr]
	if p == nil {
		return nil, fmt.Errorf("no server has the address %s", addr)
	}
	if s.tls == nil {
		return (&net.Dialer{}).DialContext(ctx, network, p.Addr())
	}
	return (&tls.Dialer{Config: s.tls}).DialContext(ctx, network, p.Addr())
}

// announce has the nodes of a cluster send clients to the proxies.
func (s *site) announce(t *testing.T, c *redisproc.Cluster) {
	t.Helper()
	setting := "cluster-announce-port"
	if s.tls != nil {
		setting = "cluster-announce-tls-port"
	}
	var nodes []*redis.Client
	for _, server := range c.Servers() {
		_, port, _ := net.SplitHostPort(s.proxies[server.Addr()].Addr())
		n := redis.NewClient(&redis.Options{Addr: server.Addr(), TLSConfig: s.tls})
		defer n.Close()
		if err := n.ConfigSet(t.Context(), setting, port).Err(); err != nil {
			t.Fatal(err)
		}
		nodes = append(nodes, n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, n := range nodes {
		if err := redisproc.Until(ctx, func() error {
			slots, err := n.ClusterSlots(ctx).Result()
			if err != nil {
				return err
			}
			text := fmt.Sprint(slots)
			for _, p := range s.proxies {
				if !strings.Contains(text, p.Addr()) {
					return fmt.Errorf("%s does not know %s", n, p.Addr())
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *site) set(f netfault.Fault) {
	for _, p := range s.proxies {
		p.Set(f)
	}
}

// forget has the network forget the connections to servers. Those to sentinels, which a
// link asks every keepEvery, are in use.
func (s *site) forget(reset bool) {
	for addr, p := range s.proxies {
		if !slices.Contains(s.asked, addr) {
			p.Forget(reset)
		}
	}
}

// accepted returns how many connections were made.
func (s *site) accepted() (n int64) {
	for _, p := range s.proxies {
		n += p.Accepted()
	}
	return n
}

var spaces atomic.Int64

// spaceName returns a name that no other test has.
func spaceName() string { return "site" + strconv.FormatInt(spaces.Add(1), 10) }
