package redisstore

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// channel is where the messages of a lane's log are published. All databases of a server
// share its channels.
func (s *Space) channel(lane int) string {
	name := s.ns + ":c:" + s.hashTag(lane)
	if s.db != 0 {
		name += ":" + strconv.Itoa(s.db)
	}
	return name
}

// listen keeps one subscription to all lanes, on a single server or behind
// Sentinel.
func (b *bus) listen() {
	for b.ctx.Err() == nil {
		err := b.receive(b.lanes, func(ctx context.Context, channels []string) (*redis.PubSub, error) {
			// Not with the channels: its error would be lost, and Receive would
			// connect again, without the deadline.
			ps := b.client.Subscribe(ctx)
			return ps, ps.Subscribe(ctx, channels...)
		})
		b.rest(err)
	}
}

// follow keeps a subscription to each master that has one of the lanes, in a
// cluster. When lanes move apart, their subscription is divided.
func (b *bus) follow(cluster *redis.ClusterClient, lanes []*lane) {
	var err error
	for first := true; b.ctx.Err() == nil; first = false {
		if !first {
			b.rest(err)
			cluster.ReloadState(b.ctx)
		}
		groups := b.owners(cluster, lanes)
		if len(groups) == 0 {
			continue
		}
		for _, g := range groups[1:] {
			b.done.Go(func() { b.follow(cluster, g.lanes) })
		}
		lanes = groups[0].lanes
		err = b.receive(lanes, groups[0].subscribe)
	}
}

// owner is a master and lanes that it has.
type owner struct {
	master *redis.Client
	lanes  []*lane
}

// owners groups lanes by master, or returns nothing if they cannot be told.
func (b *bus) owners(cluster *redis.ClusterClient, lanes []*lane) (groups []*owner) {
	for _, l := range lanes {
		master, err := cluster.MasterForKey(b.ctx, b.space.laneKey(l.n))
		if err != nil {
			return nil
		}
		var at *owner
		for _, g := range groups {
			if g.master == master {
				at = g
			}
		}
		if at == nil {
			at = &owner{master: master}
			groups = append(groups, at)
		}
		at.lanes = append(at.lanes, l)
	}
	return groups
}

// subscribe names one channel at a time: those of one command must be in one
// slot.
func (o *owner) subscribe(ctx context.Context, channels []string) (*redis.PubSub, error) {
	ps := o.master.SSubscribe(ctx)
	for _, c := range channels {
		if err := ps.SSubscribe(ctx, c); err != nil {
			return ps, err
		}
	}
	return ps, nil
}

// receive subscribes once and passes on what comes, until something is wrong
// with it. It reads without a deadline, which could cut a message in two; a
// connection that delivers nothing is noticed by the beats, and one that was
// never confirmed by a timer.
func (b *bus) receive(lanes []*lane, subscribe func(context.Context, []string) (*redis.PubSub, error)) error {
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	byChannel := make(map[string]*lane, len(lanes))
	channels := make([]string, len(lanes))
	for i, l := range lanes {
		channels[i] = b.space.channel(l.n)
		byChannel[channels[i]] = l
	}
	within, done := context.WithTimeout(ctx, b.timeout)
	ps, err := subscribe(within, channels)
	done()
	defer ps.Close()
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { ps.Close() })()
	confirmed := time.AfterFunc(max(b.timeout, time.Second), cancel)
	defer confirmed.Stop()
	defer func() {
		for _, l := range lanes {
			l.subscription(false, nil)
		}
	}()
	for missing := len(lanes); ; {
		got, err := ps.Receive(ctx)
		if err != nil {
			return err // Receive would connect again by itself, and name all channels in one command
		}
		switch m := got.(type) {
		case *redis.Message:
			if l := byChannel[m.Channel]; l != nil {
				l.apply(m.Payload)
			}
		case *redis.Subscription:
			l := byChannel[m.Channel]
			switch {
			case l == nil:
			case m.Kind == "subscribe" || m.Kind == "ssubscribe":
				l.subscription(true, cancel)
				if missing--; missing == 0 {
					confirmed.Stop()
				}
			default: // the server has taken it away: the slot moves
				return nil
			}
		}
	}
}

// rest keeps a subscription that has failed from trying without end. One that the server
// refuses costs a connection each time.
func (b *bus) rest(err error) {
	least, most := 10*time.Millisecond, min(b.space.lease/4, time.Second)
	if denied(err) {
		b.space.suspect(err)
		least, most = 10*most, 10*most
	}
	b.pause(least + rand.N(most))
}

// pause waits for d, unless the bus ends.
func (b *bus) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-b.ctx.Done():
	}
}
