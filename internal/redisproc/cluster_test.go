package redisproc

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

func startCluster(t *testing.T, o ClusterOptions) *Cluster {
	t.Helper()
	c, err := StartCluster(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func TestAClusterAnswersForAllSlotsUntilItIsStopped(t *testing.T) {
	t.Parallel()
	c := startCluster(t, ClusterOptions{})
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()[:1], ContextTimeoutEnabled: true, MaxRedirects: -1})
	defer rdb.Close()
	const keys = 3000
	pipe := rdb.Pipeline()
	for i := range keys {
		pipe.Set(t.Context(), "k"+itoa(i), i, 0)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	var sum int64
	for _, s := range c.Servers() {
		n, err := client(t, s.Addr()).DBSize(t.Context()).Result()
		if err != nil || n < keys/4 {
			t.Errorf("node %s has %d keys: %v", s.Addr(), n, err)
		}
		sum += n
	}
	if sum != keys || len(c.Servers()) != 3 {
		t.Errorf("%d nodes have %d keys", len(c.Servers()), sum)
	}

	if err := c.Servers()[1].Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Servers() {
		gone(t, s)
	}
}

func TestAReplicaTakesOverWhenItsMasterIsKilled(t *testing.T) {
	t.Parallel()
	c := startCluster(t, ClusterOptions{Replicas: 1, Args: []string{"--cluster-node-timeout", "500"}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	replica := client(t, c.Addrs()[3])
	if role, err := replica.Do(ctx, "role").Slice(); err != nil || role[0] != "slave" {
		t.Fatalf("server 3 is %v, %v", role, err)
	}
	c.Servers()[0].Kill()
	err := Until(ctx, func() error {
		role, err := replica.Do(ctx, "role").Slice()
		if err == nil && role[0] != "master" {
			err = redis.Nil
		}
		return err
	})
	if err != nil {
		t.Fatalf("no failover: %v", err)
	}
	if err := c.Servers()[0].Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestAClusterOfTwoIsRefused(t *testing.T) {
	if c, err := StartCluster(t.Context(), ClusterOptions{Masters: 2}); err == nil {
		c.Stop()
		t.Error("a cluster of two has started")
	}
}
