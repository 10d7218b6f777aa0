package redisproc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const slots = 16384

// clientOptions are those of a client that asks one server once.
func (a *Authority) clientOptions(addr string) *redis.Options {
	return &redis.Options{Addr: addr, TLSConfig: a.ClientTLS(), PoolSize: 1, MaxRetries: -1, DialerRetries: 1, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}}
}

// clients returns a client of each node.
func (c *Cluster) clients() (clients []*redis.Client, done func()) {
	for _, s := range c.servers {
		clients = append(clients, redis.NewClient(s.authority.clientOptions(s.Addr())))
	}
	return clients, func() {
		for _, n := range clients {
			n.Close()
		}
	}
}

// join makes a cluster of the nodes.
func (c *Cluster) join(ctx context.Context) error {
	nodes, done := c.clients()
	defer done()
	for i, n := range nodes {
		if err := n.Do(ctx, "cluster", "set-config-epoch", i+1).Err(); err != nil {
			return fmt.Errorf("node %d: epoch: %w", i, err)
		}
		if i < c.masters {
			if err := n.ClusterAddSlotsRange(ctx, i*slots/c.masters, (i+1)*slots/c.masters-1).Err(); err != nil {
				return fmt.Errorf("node %d: slots: %w", i, err)
			}
		}
		// Gossip would introduce all to all, but slowly.
		for _, other := range c.servers[:i] {
			host, port, _ := net.SplitHostPort(other.Addr())
			if err := n.ClusterMeet(ctx, host, port).Err(); err != nil {
				return fmt.Errorf("node %d: meet: %w", i, err)
			}
		}
	}
	for i, n := range nodes {
		if err := Until(ctx, func() error { return c.acquainted(ctx, n) }); err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
	}
	for i := c.masters; i < len(nodes); i++ {
		id, err := nodes[i%c.masters].ClusterMyID(ctx).Result()
		if err == nil {
			err = nodes[i].ClusterReplicate(ctx, id).Err()
		}
		if err != nil {
			return fmt.Errorf("node %d: replicate: %w", i, err)
		}
	}
	return c.wait(ctx, nodes)
}

// acquainted reports as an error whom the node does not know well yet.
func (c *Cluster) acquainted(ctx context.Context, n *redis.Client) error {
	text, err := n.ClusterNodes(ctx).Result()
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != len(c.servers) {
		return fmt.Errorf("it knows %d of %d nodes", len(lines), len(c.servers))
	}
	for _, line := range lines {
		f := strings.Fields(line)
		if len(f) < 8 || strings.Contains(f[2], "handshake") || strings.Contains(f[2], "fail") || f[7] != "connected" {
			return fmt.Errorf("it has no link with %s", line)
		}
	}
	return nil
}

// Wait returns when every node serves, knows all others, and the replicas are
// in step, as after StartCluster. It is for those who have restarted nodes, and
// gives up after a minute.
func (c *Cluster) Wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	nodes, done := c.clients()
	defer done()
	return c.wait(ctx, nodes)
}

func (c *Cluster) wait(ctx context.Context, nodes []*redis.Client) error {
	for i, n := range nodes {
		if err := Until(ctx, func() error { return c.serves(ctx, n) }); err != nil {
			return fmt.Errorf("node %d: %w", i, err)
		}
	}
	return nil
}

// serves reports as an error what the node lacks.
func (c *Cluster) serves(ctx context.Context, n *redis.Client) error {
	if err := c.acquainted(ctx, n); err != nil {
		return err
	}
	info, err := n.ClusterInfo(ctx).Result()
	if err != nil {
		return err
	}
	if !strings.Contains(info, "cluster_state:ok") {
		return errors.New("its cluster_state is not ok")
	}
	ranges, err := n.ClusterSlots(ctx).Result()
	if err != nil {
		return err
	}
	covered := 0
	for _, r := range ranges {
		if len(r.Nodes) != 1+c.replicas {
			return fmt.Errorf("it knows %d servers of slot %d", len(r.Nodes), r.Start)
		}
		covered += r.End - r.Start + 1
	}
	if covered != slots {
		return fmt.Errorf("it knows the masters of %d slots", covered)
	}
	role, err := n.Info(ctx, "replication").Result()
	if err == nil && strings.Contains(role, "role:slave") && !strings.Contains(role, "master_link_status:up") {
		return errors.New("it is not in step with its master")
	}
	return err
}

// Until calls f again and again until it returns nil or the context ends; then
// the error has that of the context and the last of f.
func Until(ctx context.Context, f func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}
