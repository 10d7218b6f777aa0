package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Access is what another process must know to use a server. It has the password in it:
// it is for a pipe and not for a command line.
type Access struct {
	Cluster            bool
	Addrs              []string // of all nodes of a cluster
	Username, Password string
	DB                 int
	TLS                bool
	ServerName         string
	Insecure           bool // the certificate is not checked
}

// Access returns what another process must know.
func (s *Server) Access(ctx context.Context) (Access, error) {
	var a Access
	secure := func(c *tls.Config) {
		if c != nil {
			a.TLS, a.ServerName, a.Insecure = true, c.ServerName, c.InsecureSkipVerify
		}
	}
	switch c := s.Client.(type) {
	case *redis.Client:
		o := c.Options()
		a = Access{Addrs: []string{o.Addr}, Username: o.Username, Password: o.Password, DB: o.DB}
		secure(o.TLSConfig)
		return a, nil
	case *redis.ClusterClient:
		o := c.Options()
		a = Access{Cluster: true, Username: o.Username, Password: o.Password}
		secure(o.TLSConfig)
		ranges, err := c.ClusterSlots(ctx).Result()
		if err != nil {
			return a, fmt.Errorf("the layout of the cluster: %w", err)
		}
		seen := map[string]bool{}
		for _, r := range ranges {
			for _, n := range r.Nodes {
				if !seen[n.Addr] {
					seen[n.Addr] = true
					a.Addrs = append(a.Addrs, n.Addr)
				}
			}
		}
		return a, nil
	}
	return a, fmt.Errorf("a client of type %T cannot be used", s.Client)
}

// Client returns a client with the default settings. via has other addresses to dial in
// place of those of the servers, such as those of proxies; it may be nil.
func (a Access) Client(via map[string]string) redis.UniversalClient {
	dial := func(ctx context.Context, kind, addr string) (net.Conn, error) { return a.dial(ctx, kind, addr, via) }
	off := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if a.Cluster {
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: a.Addrs, Username: a.Username, Password: a.Password, Dialer: dial, MaintNotificationsConfig: off,
		})
	}
	return redis.NewClient(&redis.Options{
		Addr: a.Addrs[0], Username: a.Username, Password: a.Password, DB: a.DB, Dialer: dial, MaintNotificationsConfig: off,
	})
}

func (a Access) dial(ctx context.Context, kind, addr string, via map[string]string) (net.Conn, error) {
	to, ok := via[addr]
	if !ok {
		to = addr
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, kind, to)
	if err != nil || !a.TLS {
		return conn, err
	}
	name := a.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(addr)
	}
	secure := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: a.Insecure, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}
