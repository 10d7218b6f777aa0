package redisstore

import (
	"context"
	"sync"

	"github.com/larder-cache/larder/internal/contain"
	"github.com/redis/go-redis/v9"
)

// News is an invalidation as the log of a lane announces it. An invalidation whose
// tags and keys are in several lanes is announced in each.
type News struct {
	Lane int
	Seq  uint64 // the number of the message in the log
	// All says that everything in the lane was invalidated.
	All  bool
	Tags []string
	// Keys are hashes of the keys: the keys themselves are not announced. See
	// invalidation.Hash.
	Keys []uint32
}

// Listen calls hear for every invalidation that is announced, in any lane, until ctx
// ends, and then returns nil. The calls come one after the other, in the order of each
// lane. It takes no part in the promises of the space: what is announced while a
// connection is lost is not heard, which shows in a gap of the numbers. If hear panics, or
// ends its goroutine, Listen returns a *cache.PanicError.
func (i *Inspector) Listen(ctx context.Context, hear func(News)) error {
	s := i.space
	var mu sync.Mutex
	each := func(lane int, ps *redis.PubSub) error {
		defer ps.Close()
		if _, err := ps.Receive(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return i.unavailable(err)
		}
		messages := ps.Channel()
		for {
			select {
			case <-ctx.Done():
				return nil
			case m, ok := <-messages:
				if !ok {
					return nil
				}
				parsed, err := parseMessage(m.Payload)
				if err != nil { // a wake, or not of this format
					continue
				}
				mu.Lock()
				err = contain.Apart("the function of Listen", func() {
					hear(News{lane, parsed.next.seq, parsed.all, parsed.tags, parsed.keys})
				})
				mu.Unlock()
				if err != nil {
					return err
				}
			}
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return together(s.lanes, func(lane int) error {
		var ps *redis.PubSub
		if s.lanes == 1 {
			ps = i.rdb.Subscribe(ctx, s.channel(lane))
		} else {
			ps = i.rdb.SSubscribe(ctx, s.channel(lane))
		}
		err := each(lane, ps)
		if err != nil {
			stop() // the others end too
		}
		return err
	})
}
