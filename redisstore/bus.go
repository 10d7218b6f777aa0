package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// bus is how a Space hears of what other processes invalidate: a subscription
// and a beat for each lane. It has a client of its own, so that it does not wait
// behind reads, and a limit of its own, half a lease.
type bus struct {
	space   *Space
	client  redis.UniversalClient
	own     bool
	timeout time.Duration
	lanes   []*lane
	beats   beats
	ctx     context.Context // ends when the space is closed
	stop    context.CancelFunc
	done    sync.WaitGroup
}

// busBuffers is the size of the buffers of a bus' connections: beats and messages are
// short, and what is longer goes in several pieces.
const busBuffers = 4 << 10

func (s *Space) newBus(rdb redis.UniversalClient) (*bus, error) {
	b := &bus{space: s, timeout: s.lease / 2}
	b.ctx, b.stop = context.WithCancel(context.Background())
	for n := range s.lanes {
		b.lanes = append(b.lanes, newLane(s, n))
	}
	var err error
	b.client, b.own, err = s.ownClient(rdb, busBuffers, func() time.Duration { return b.timeout })
	return b, err
}

// start sets the bus going. It does not wait for anything.
func (b *bus) start() {
	for _, l := range b.lanes {
		b.done.Go(func() { l.run(b.ctx) })
	}
	if cluster, ok := b.client.(*redis.ClusterClient); ok {
		b.done.Go(func() { b.follow(cluster, b.lanes) })
		return
	}
	b.done.Go(b.listen)
}

// close ends everything and waits for it.
func (b *bus) close(ctx context.Context) error {
	b.stop()
	b.done.Wait()
	b.space.leave(ctx)
	if !b.own {
		return nil
	}
	return b.client.Close()
}

func (b *bus) run(ctx context.Context, calls ...*call) error {
	return b.space.ask(ctx, b.client, b.timeout, calls)
}
