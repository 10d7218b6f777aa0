package redisstore

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"github.com/redis/go-redis/v9"
)

// beats lets the beats of lanes that one server of a cluster has go together. Those
// of other servers do not wait for it.
type beats struct {
	mu   sync.Mutex
	next map[*redis.Client]*beatTrip // that have not departed, by master
}

// beatTrip is what goes to a server together.
type beatTrip struct {
	calls []*call
	done  chan struct{}
}

// sendBeat sends c, which belongs to a lane, together with what other lanes send within a
// while, unless it is urgent. Its result is in c.
func (b *bus) sendBeat(ctx context.Context, lane int, c *call, urgent bool) error {
	cluster, ok := b.client.(*redis.ClusterClient)
	if !ok {
		return b.run(ctx, c)
	}
	master, err := cluster.MasterForKey(ctx, b.space.laneKey(lane))
	if err != nil {
		return b.run(ctx, c)
	}
	b.beats.mu.Lock()
	trip := b.beats.next[master]
	first := trip == nil
	if first {
		trip = &beatTrip{done: make(chan struct{})}
		if b.beats.next == nil {
			b.beats.next = map[*redis.Client]*beatTrip{}
		}
		b.beats.next[master] = trip
	}
	trip.calls = append(trip.calls, c)
	b.beats.mu.Unlock()
	if first {
		if urgent {
			runtime.Gosched()
		} else {
			b.pause(b.space.lease / 50)
		}
		b.beats.mu.Lock()
		delete(b.beats.next, master)
		b.beats.mu.Unlock()
		run(ctx, master, b.timeout, trip.calls)
		close(trip.done)
	} else {
		<-trip.done // which its first has promised to close in time
	}
	err = c.cmd.Err()
	if err == nil {
		return nil
	}
	relearn(ctx, cluster, err)
	if says(err, "MOVED", "ASK", "CLUSTERDOWN") {
		c.renew(ctx)
		return b.run(ctx, c) // which follows the slot
	}
	return fmt.Errorf("%w: %w", errUnavailable, err)
}
