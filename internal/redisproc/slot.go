package redisproc

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// MoveSlot moves the slot of a key, with all keys in it, from the master that
// has it to the next one, while the cluster is in use. After an error the slot is
// where it was, though some of its keys may not be.
func (c *Cluster) MoveSlot(ctx context.Context, key string) (err error) {
	all, done := c.clients()
	defer done()
	var nodes []*redis.Client // the masters
	var addrs []string
	for i, n := range all {
		role, err := n.Do(ctx, "role").Slice()
		if err != nil {
			return err
		}
		if role[0] == "master" {
			nodes, addrs = append(nodes, n), append(addrs, c.servers[i].Addr())
		}
	}
	slot, err := nodes[0].ClusterKeySlot(ctx, key).Result()
	if err != nil {
		return err
	}
	ids := make([]string, len(nodes))
	from := -1
	for i, n := range nodes {
		if ids[i], err = n.ClusterMyID(ctx).Result(); err != nil {
			return err
		}
		ranges, err := n.ClusterSlots(ctx).Result()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(ranges, func(r redis.ClusterSlot) bool {
			return r.Start <= int(slot) && int(slot) <= r.End && r.Nodes[0].ID == ids[i]
		}) {
			from = i
		}
	}
	if from < 0 {
		return fmt.Errorf("no master has slot %d", slot)
	}
	to := (from + 1) % len(nodes)
	defer func() {
		if err != nil { // otherwise it would stay open at both ends
			for _, n := range nodes {
				n.Do(ctx, "cluster", "setslot", slot, "stable")
			}
		}
	}()
	host, port, _ := net.SplitHostPort(addrs[to])
	if err := nodes[to].Do(ctx, "cluster", "setslot", slot, "importing", ids[from]).Err(); err != nil {
		return fmt.Errorf("slot %d: importing: %w", slot, err)
	}
	if err := nodes[from].Do(ctx, "cluster", "setslot", slot, "migrating", ids[to]).Err(); err != nil {
		return fmt.Errorf("slot %d: migrating: %w", slot, err)
	}
	for {
		keys, err := nodes[from].ClusterGetKeysInSlot(ctx, int(slot), 100).Result()
		if err != nil {
			return fmt.Errorf("slot %d: keys: %w", slot, err)
		}
		if len(keys) == 0 {
			break
		}
		args := []any{"migrate", host, port, "", 0, time.Second.Milliseconds(), "replace", "keys"}
		for _, k := range keys {
			args = append(args, k)
		}
		if err := nodes[from].Do(ctx, args...).Err(); err != nil && !strings.Contains(err.Error(), "NOKEY") {
			return fmt.Errorf("slot %d: migrate: %w", slot, err)
		}
	}
	// The one that gets the slot first: it must know before the other sends
	// clients there.
	order := append([]*redis.Client{nodes[to], nodes[from]}, nodes...)
	for _, n := range order {
		if err := n.Do(ctx, "cluster", "setslot", slot, "node", ids[to]).Err(); err != nil {
			return fmt.Errorf("slot %d: assign: %w", slot, err)
		}
	}
	return nil
}
