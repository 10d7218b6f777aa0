package verify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// topology is how the servers stand to each other.
type topology string

const (
	single   topology = "single"
	cluster  topology = "cluster"
	sentinel topology = "sentinel"
	address  topology = "address"
)

// nodeTimeout is after how many milliseconds a cluster gives a node up.
const nodeTimeout = 1500 * time.Millisecond

// site is the Redis of a round, and the network between it and the processes.
type site struct {
	topology topology
	own      bool // started for the round, so that anything may be done to it
	info     string
	servers  []*redisproc.Server // own ones
	cluster  *redisproc.Cluster
	sentinel *redisproc.Sentinel
	leads    int // to which of the servers the address leads
	remote   *server.Server
	access   access
	// proxies are, for each process, the ways to the servers by their addresses.
	proxies []map[string]*netfault.Proxy
	stop    func() error
}

// access says how clients reach the site.
type access struct {
	Topology           topology
	Addrs              []string
	Master             string
	Username, Password string
	DB                 int
	TLS                bool
	ServerName         string
	Insecure           bool
}

// secure takes from the settings of a client what another process can be told.
func (a *access) secure(c *tls.Config) {
	if c != nil {
		a.TLS, a.ServerName, a.Insecure = true, c.ServerName, c.InsecureSkipVerify
	}
}

// limitedUser are arguments of a server that has a user who may not call what is
// dangerous, INFO and ROLE among it.
var limitedUser = []string{"--user", limited, "on", ">" + limited, "~*", "&*", "+@all", "-@dangerous"}

const limited = "limited"

// asLimited returns the access of that user.
func (a access) asLimited() access {
	a.Username, a.Password = limited, limited
	return a
}

// spawn starts servers for a round.
func spawn(ctx context.Context, t topology) (s *site, err error) {
	s = &site{topology: t, own: true, access: access{Topology: t}}
	switch t {
	case cluster:
		if s.cluster, err = redisproc.StartCluster(ctx, redisproc.ClusterOptions{
			Replicas: 1, Args: []string{"--cluster-node-timeout", fmt.Sprint(nodeTimeout.Milliseconds())},
		}); err != nil {
			return nil, err
		}
		s.servers, s.stop, s.access.Addrs = s.cluster.Servers(), s.cluster.Stop, s.cluster.Addrs()
		s.info = "a cluster of 3 masters and 3 replicas, started for the round"
	case sentinel:
		if s.sentinel, err = redisproc.StartSentinel(ctx, redisproc.SentinelOptions{}); err != nil {
			return nil, err
		}
		s.servers, s.stop = s.sentinel.Servers(), s.sentinel.Stop
		s.access.Addrs, s.access.Master = s.sentinel.Addrs(), s.sentinel.MasterName()
		s.info = "a master and 2 replicas under 3 sentinels, started for the round"
	case address:
		if err := s.startPair(ctx, limitedUser); err != nil {
			return nil, err
		}
	default:
		one, err := redisproc.Start(ctx, redisproc.Options{Args: append([]string{"--dbfilename", snapshotFile}, limitedUser...)})
		if err != nil {
			return nil, err
		}
		s.servers, s.stop, s.access.Addrs = []*redisproc.Server{one}, one.Stop, []string{one.Addr()}
		s.info = "a single server, started for the round"
	}
	return s, nil
}

// visit uses a server that is there already. It is not closed with the site.
func visit(ctx context.Context, remote *server.Server) (*site, error) {
	s := &site{topology: single, remote: remote, info: remote.Info.String(), stop: func() error { return nil }}
	switch c := remote.Client.(type) {
	case *redis.Client:
		o := c.Options()
		s.access = access{Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, DB: o.DB}
		s.access.secure(o.TLSConfig)
	case *redis.ClusterClient:
		o := c.Options()
		s.topology = cluster
		s.access = access{Username: o.Username, Password: o.Password}
		s.access.secure(o.TLSConfig)
		ranges, err := c.ClusterSlots(ctx).Result()
		if err != nil {
			return nil, fmt.Errorf("the layout of the cluster: %w", err)
		}
		seen := map[string]bool{}
		for _, r := range ranges {
			for _, n := range r.Nodes {
				if !seen[n.Addr] {
					seen[n.Addr] = true
					s.access.Addrs = append(s.access.Addrs, n.Addr)
				}
			}
		}
	default:
		return nil, fmt.Errorf("a client of type %T cannot be used", c)
	}
	s.access.Topology = s.topology
	return s, nil
}

// lay gives each of n processes its own way to all servers.
func (s *site) lay(n int) error {
	addrs := s.access.Addrs
	if s.own && s.topology != address {
		addrs = nil
		for _, srv := range s.servers {
			addrs = append(addrs, srv.Addr())
		}
	}
	for range n {
		ways := map[string]*netfault.Proxy{}
		s.proxies = append(s.proxies, ways)
		for _, a := range addrs {
			p, err := netfault.Start(a)
			if err != nil {
				return err
			}
			ways[a] = p
		}
	}
	return nil
}

// via returns where process i connects to, by the address it wants.
func (s *site) via(i int) map[string]string {
	out := map[string]string{}
	for to, p := range s.proxies[i] {
		out[to] = p.Addr()
	}
	return out
}

// close ends the site.
func (s *site) close() error {
	for _, ways := range s.proxies {
		for _, p := range ways {
			p.Close()
		}
	}
	return s.stop()
}

// direct returns a client of one of our own servers.
func direct(addr string) *redis.Client {
	return redis.NewClient(&redis.Options{Addr: addr, PoolSize: 1, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		ReadTimeout: 2 * time.Second, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}})
}

// masters calls f for each master.
func (s *site) masters(ctx context.Context, f func(ctx context.Context, c *redis.Client) error) error {
	if !s.own {
		if c, ok := s.remote.Client.(*redis.ClusterClient); ok {
			return c.ForEachMaster(ctx, f)
		}
		return f(ctx, s.remote.Client.(*redis.Client))
	}
	var errs []error
	for _, srv := range s.servers {
		c := direct(srv.Addr())
		role, err := c.Do(ctx, "role").Slice()
		if err == nil && role[0] == "master" {
			err = f(ctx, c)
		}
		errs = append(errs, err)
		c.Close()
	}
	return errors.Join(errs...)
}
