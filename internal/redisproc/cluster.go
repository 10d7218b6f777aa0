package redisproc

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// ClusterOptions say what a cluster looks like.
type ClusterOptions struct {
	// Masters is how many nodes share the slots: at least, and by default, 3.
	Masters int
	// Replicas is how many copies each master has.
	Replicas int
	// Args are arguments of every node. Nodes wait 15 s before they call
	// another failed, unless "--cluster-node-timeout" says otherwise.
	Args []string
	// Bin is the program, as in Options.
	Bin string
	// Authority makes the nodes speak TLS, also with each other.
	Authority *Authority
}

// Cluster is a running cluster.
type Cluster struct {
	servers           []*Server
	masters, replicas int
}

// StartCluster starts the nodes, joins them and returns when each of them knows
// all others, all slots are served and the replicas are in step. That takes
// more than two seconds: a node serves nothing in its first two. The context
// bounds the start, not the life of the cluster. The caller must call Stop.
func StartCluster(ctx context.Context, o ClusterOptions) (*Cluster, error) {
	if o.Masters == 0 {
		o.Masters = 3
	}
	if o.Masters < 3 || o.Replicas < 0 {
		return nil, fmt.Errorf("a cluster of %d masters with %d replicas each: Redis asks for 3 masters or more", o.Masters, o.Replicas)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	nodes := make([]*Server, o.Masters*(1+o.Replicas))
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i := range nodes {
		wg.Go(func() {
			nodes[i], errs[i] = Start(ctx, Options{Args: o.Args, Bin: o.Bin, Authority: o.Authority, cluster: true})
		})
	}
	wg.Wait()
	c := &Cluster{masters: o.Masters, replicas: o.Replicas}
	var failed error
	for i, s := range nodes {
		if errs[i] != nil {
			failed = errs[i] // all fail alike
			continue
		}
		c.servers = append(c.servers, s)
	}
	if failed == nil {
		failed = c.join(ctx)
	}
	if failed != nil {
		c.Stop()
		return nil, failed
	}
	return c, nil
}

// Servers returns the nodes: first the masters, in the order of their slots,
// then the replicas. Those of the first master are at Masters, 2*Masters and so
// on. A failover changes the roles but not this order.
func (c *Cluster) Servers() []*Server { return append([]*Server(nil), c.servers...) }

// Addrs returns the addresses of Servers.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.servers))
	for i, s := range c.servers {
		addrs[i] = s.Addr()
	}
	return addrs
}

// Stop stops all nodes and removes their directories.
func (c *Cluster) Stop() error {
	errs := make([]error, len(c.servers))
	var wg sync.WaitGroup
	for i, s := range c.servers {
		wg.Go(func() { errs[i] = s.Stop() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
