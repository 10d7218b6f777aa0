package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/redis/go-redis/v9"
)

// As says which client a target is used with.
type As struct {
	// Kind is "single", "cluster", or "auto": then a node of a cluster leads to its
	// cluster.
	Kind string
	// Master is the name of the primary, if the target is sentinels.
	Master string
	// CA is a file with the certificates, in PEM, of the authorities that are trusted; ""
	// for those of the system.
	CA string
}

// Client returns a client of a server that need not be there. The caller must close it.
func (t Target) Client(ctx context.Context, as As) (redis.UniversalClient, error) {
	Silence()
	o := *t.options
	if as.CA != "" {
		if o.TLSConfig == nil {
			return nil, errors.New("an authority is given, but the address is not that of TLS: use rediss://")
		}
		roots, err := authorities(as.CA)
		if err != nil {
			return nil, err
		}
		o.TLSConfig = o.TLSConfig.Clone()
		o.TLSConfig.RootCAs = roots
	}
	seeds := t.seeds
	if seeds == nil {
		seeds = []string{o.Addr}
	}
	switch {
	case as.Master != "":
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: as.Master, SentinelAddrs: seeds, Username: o.Username, Password: o.Password, DB: o.DB, TLSConfig: o.TLSConfig,
		}), nil
	case as.Kind == "cluster", as.Kind == "auto" && (t.seeds != nil || inCluster(ctx, &o)):
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: seeds, Username: o.Username, Password: o.Password, TLSConfig: perNode(o.TLSConfig)}), nil
	}
	return redis.NewClient(&o), nil
}

// perNode returns what is good for all nodes of a cluster: a URL names one.
func perNode(c *tls.Config) *tls.Config {
	if c == nil {
		return nil
	}
	c = c.Clone()
	c.ServerName = ""
	return c
}

// authorities reads certificates.
func authorities(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s has no certificate in PEM", file)
	}
	return roots, nil
}

// inCluster asks a server whether it is a node of a cluster, as far as the user may.
func inCluster(ctx context.Context, o *redis.Options) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	first := *o
	first.ContextTimeoutEnabled, first.DialTimeout, first.DialerRetries, first.MaxRetries, first.Protocol = true, patience, 1, -1, 2
	c := redis.NewClient(&first)
	defer c.Close()
	hello, err := c.Do(ctx, "HELLO").Slice()
	for i := 0; i+1 < len(hello); i += 2 {
		if hello[i] == "mode" {
			return hello[i+1] == "cluster"
		}
	}
	if err == nil || ctx.Err() != nil {
		return false
	}
	return strings.Contains(c.Info(ctx, "server").Val(), "redis_mode:cluster")
}

// Address names the target without its secrets.
func (t Target) Address() string { return t.address() }
