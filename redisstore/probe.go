package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

const (
	// probePause and probeMost are the least and the most time between two rounds of
	// probes. A hint brings the next one forward, but for half of probePause.
	probePause = 100 * time.Millisecond
	probeMost  = time.Second
	// probes of at most probesMost that are good close a breaker: then their median
	// is good.
	probes     = 3
	probesMost = 2*probes - 1
)

// probers are the goroutines that make the probes of a space.
type probers struct {
	mu   sync.Mutex
	ctx  context.Context
	stop context.CancelFunc
	done sync.WaitGroup
}

func newProbers() *probers {
	p := &probers{}
	p.ctx, p.stop = context.WithCancel(context.Background())
	return p
}

// begin runs f, unless they have ended.
func (p *probers) begin(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ctx.Err() == nil {
		p.done.Go(f)
	}
}

// end has no more probes made. wait returns when none is under way.
func (p *probers) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
}

func (p *probers) wait() { p.done.Wait() }

// hint is told that the server may answer again.
func (b *breaker) hint() {
	if !b.open.Load() {
		return
	}
	select {
	case b.poke <- struct{}{}:
	default:
	}
}

// watch makes probes until the breaker closes or its space does.
func (b *breaker) watch() {
	pause := probePause
	timer := time.NewTimer(pause/2 + rand.N(pause/2+1))
	defer timer.Stop()
	for last := time.Now(); ; {
		select {
		case <-b.probers.ctx.Done():
			return
		case <-timer.C:
		case <-b.poke:
			if left := probePause/2 - time.Since(last); left > 0 && pause > probePause {
				timer.Reset(left)
				continue
			}
		}
		if b.probers.ctx.Err() != nil {
			return
		}
		if b.try() {
			b.close()
			return
		}
		last, pause = time.Now(), min(2*pause, probeMost)
		timer.Reset(pause/2 + rand.N(pause/2+1))
	}
}

// errGone says that a server has nothing of the cluster any more.
var errGone = errors.New("larder: redisstore: not a master of the cluster any more")

// try makes a round of probes and reports whether the server is well: the median of its
// probes is. A probe that times out ends the round.
func (b *breaker) try() bool {
	good := 0
	for n := range probesMost {
		began := time.Now()
		err := b.ask(b.probers.ctx)
		took := time.Since(began)
		switch {
		case err == errGone:
			return true
		case b.probers.ctx.Err() != nil || failure(err) && took > b.slow():
			return false
		case !failure(err) && took <= b.slow():
			if good++; good == probes {
				return true
			}
		}
		if n-good == probes-1 {
			return false
		}
	}
	return false
}

// close lets readers ask the server again. What was before does not count any more.
func (b *breaker) close() {
	b.mu.Lock()
	b.n, b.fails, b.bads = 0, 0, 0
	took := time.Since(b.since)
	b.wary.Store(false)
	b.open.Store(false)
	b.mu.Unlock()
	b.changed()
	b.tell(cache.Event{Kind: cache.BreakerClosed, Server: b.addr, N: 1, Took: took})
}

// probe asks the server of a space that is no cluster for what every read asks for.
func (s *Space) probe(ctx context.Context) error {
	return s.ask(ctx, s.rdb, s.pace.bound(), []*call{mget(ctx, []string{s.starKey(0)})})
}

// probeLayout asks the cluster who has what.
func (s *Space) probeLayout(ctx context.Context) error {
	_, err := s.servers.master(ctx, s, s.starKey(0))
	return err
}

// probeMaster returns what a probe of one master of a cluster does. What it asks for need
// not be there any more: that it answers so is an answer.
func (s *Space) probeMaster(v *server) func(context.Context) error {
	return func(ctx context.Context) error {
		master, err := s.findMaster(ctx, v)
		if err != nil {
			return err
		}
		if master == nil {
			s.servers.forget(v)
			return errGone
		}
		err = run(ctx, master, s.pace.bound(), []*call{mget(ctx, []string{v.key})})
		relearn(ctx, s.rdb, err) // another may have what it had
		return err
	}
}

// findMaster returns the client of a master, nil if it is none any more.
func (s *Space) findMaster(ctx context.Context, v *server) (found *redis.Client, err error) {
	if master, err := s.servers.master(ctx, s, v.key); err == nil && master.Options().Addr == v.breaker.addr {
		return master, nil
	}
	var mu sync.Mutex
	err = s.rdb.(*redis.ClusterClient).ForEachMaster(budget{ctx, time.Now().Add(s.pace.bound())}, func(_ context.Context, master *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		if master.Options().Addr == v.breaker.addr {
			found = master
		}
		return nil
	})
	return found, err
}
