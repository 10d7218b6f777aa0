package redisstore

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// gather lets reads of many callers go together, on a single server. Who comes
// alone goes alone, at once. Who comes while a read is under way waits for it to
// return, and goes then with all others who came meanwhile, in one MGET. What has
// been sent is not joined: its answer may be older than the caller.
type gather struct {
	space *Space
	mu    sync.Mutex
	queue []*ask
	trips int // under way
	timer *time.Timer
	// rtt is how long a read that goes alone takes, in nanoseconds.
	rtt atomic.Int64
}

// ask is a read that waits for a place.
type ask struct {
	keys []string
	got  []string
	err  error
	done chan struct{}
}

const (
	// far is the round trip from which it pays to have several reads under way.
	far     = 300 * time.Microsecond
	farMost = 4
	// patience is how long the callers who wait do so for a read that does not
	// return, be it lost or large; then they go nevertheless.
	patience = 2 * time.Millisecond
	slowMost = 8
)

func (g *gather) most() int {
	if g.rtt.Load() > int64(far) {
		return farMost
	}
	return 1
}

// get returns the values of keys, "" for what is not there.
func (g *gather) get(ctx context.Context, keys []string) ([]string, error) {
	g.mu.Lock()
	if g.trips < g.most() {
		g.trips++
		g.mu.Unlock()
		defer g.landed()
		return g.alone(ctx, keys)
	}
	a := &ask{keys: keys, done: make(chan struct{})}
	g.queue = append(g.queue, a)
	if len(g.queue) == 1 {
		g.wake()
	}
	g.mu.Unlock()
	select {
	case <-a.done:
		return a.got, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// wake has those who wait go when they have waited too long. The lock is held.
func (g *gather) wake() {
	if g.timer != nil {
		g.timer.Reset(patience)
		return
	}
	g.timer = time.AfterFunc(patience, func() {
		g.mu.Lock()
		late := len(g.queue) > 0 && g.trips < slowMost
		if late {
			g.trips++
		}
		g.mu.Unlock()
		if late {
			g.run()
		}
	})
}

func (g *gather) alone(ctx context.Context, keys []string) ([]string, error) {
	began := time.Now()
	got, err := g.space.mgetRaw(ctx, keys)
	if took := int64(time.Since(began)); err == nil {
		if old := g.rtt.Load(); old == 0 || took < old {
			g.rtt.Store(took)
		} else {
			g.rtt.Store(old + (took-old)/64)
		}
	}
	return got, err
}

// landed ends a trip, or goes on with those who came meanwhile.
func (g *gather) landed() {
	g.mu.Lock()
	more := len(g.queue) > 0
	if !more {
		g.trips--
	}
	g.mu.Unlock()
	if more {
		go g.run()
	}
}

// run makes trips while somebody waits.
func (g *gather) run() {
	var b batch
	for {
		runtime.Gosched() // who has just got an answer may have another question
		g.mu.Lock()
		n, keys := 0, 0
		for n < len(g.queue) && (n == 0 || keys+len(g.queue[n].keys) <= maxMGet) {
			keys += len(g.queue[n].keys)
			n++
		}
		if n == 0 {
			g.trips--
			g.mu.Unlock()
			return
		}
		b.asks = append(b.asks[:0], g.queue[:n]...)
		g.queue = slices.Delete(g.queue, 0, n)
		if len(g.queue) > 0 {
			g.wake()
		}
		g.mu.Unlock()
		b.send(g.space)
	}
}

// batch is what goes together.
type batch struct {
	asks []*ask
	keys []string
	at   map[string]int
}

func (b *batch) send(s *Space) {
	if b.at == nil {
		b.at = make(map[string]int)
	}
	clear(b.at)
	b.keys = b.keys[:0]
	for _, a := range b.asks {
		for _, k := range a.keys {
			if _, ok := b.at[k]; !ok {
				b.at[k] = len(b.keys)
				b.keys = append(b.keys, k)
			}
		}
	}
	got, err := s.mgetRaw(context.Background(), b.keys)
	for _, a := range b.asks {
		if a.err = err; err == nil {
			a.got = make([]string, len(a.keys))
			for i, k := range a.keys {
				a.got[i] = got[b.at[k]]
			}
		}
		close(a.done)
	}
}

// mgetRaw reads keys in one command. The results are parts of one piece of memory:
// whoever keeps some of it makes a copy.
func (s *Space) mgetRaw(ctx context.Context, keys []string) ([]string, error) {
	args := make([]any, 1, 1+len(keys))
	args[0] = "mget" // it is MGET also for one key: to GET, a key of another type is an error
	for i := range keys {
		args = append(args, &keys[i])
	}
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx = budget{ctx, time.Now().Add(s.timeout)}
	cmd := redis.NewRawCmd(ctx, args...)
	err := s.rdb.Process(ctx, cmd)
	var got []string
	if err == nil {
		got, err = bulk(textOf(cmd.Val()), len(keys))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return got, nil
}
