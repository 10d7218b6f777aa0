package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/internal/redisproc"
)

// stage is what a case has: a Redis, a library, and an origin of versions.
type stage struct {
	redis   *redisproc.Server
	library library

	version atomic.Int64
	loads   atomic.Int64
	// hold, if it is not nil, keeps the first load until it is closed, after it has
	// read the version; held is closed when it has.
	hold, held chan struct{}
	once       sync.Once
	during     func() // is called in a load
	closers    []func()
}

func (s *stage) load(ctx context.Context, _ string) (int64, error) {
	s.loads.Add(1)
	v := s.version.Load()
	if s.hold != nil {
		s.once.Do(func() {
			close(s.held)
			<-s.hold
		})
	}
	if s.during != nil {
		s.during()
	}
	return v, nil
}

func (s *stage) process() instance {
	i, err := s.library.open(s.redis.Addr(), s.load)
	if err != nil {
		panic(err)
	}
	if i.close != nil {
		s.closers = append(s.closers, i.close)
	}
	return i
}

// close ends what can be ended of the processes. The program does not wait for
// that, since not every library survives it.
func (s *stage) close() {
	for _, c := range s.closers {
		c()
	}
}

// waits bounds a read.
const waits = 5 * time.Second

// settle is time for what happens after the answer, such as storing it.
const settle = 200 * time.Millisecond

// accident is something that happens to every cache.
type accident struct {
	name  string
	redis bool // only for libraries with Redis
	run   func(ctx context.Context, s *stage) string
}

var cases = []accident{
	{"a load is under way while its key is invalidated; the next read is", false, overtaken},
	{"a read that begins after the invalidation, while that load is still under way, is", false, joined},
	{"the load is in another process; the next read here is", true, overtakenElsewhere},
	{"another process has the value in memory; it reads the new one after", true, propagation},
	{"200 goroutines ask for a cold key: loads", false, stampede},
	{"a caller leaves, after 50 ms, a load of 2 s that does not heed its context; it is free after", false, leaving},
	{"the load function panics; the next read gets", false, panics},
	{"Redis refuses connections; a read gets", true, refused},
	{"Redis does not answer; a read gets", true, silent},
	{"Redis refuses connections; an invalidation returns", true, lostInvalidation},
	{"there are foreign bytes in Redis; a read gets", true, foreign},
}

func verdict(v, want int64, err error) string {
	switch {
	case err != nil:
		return "**an error**"
	case v < want:
		return "**stale**"
	}
	return "fresh"
}

// begin starts a load in p that has read version 1 and is held.
func (s *stage) begin(ctx context.Context, p instance) (release func()) {
	s.version.Store(1)
	s.hold, s.held = make(chan struct{}), make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.get(ctx, "k")
	}()
	<-s.held
	return func() {
		close(s.hold)
		<-done
		time.Sleep(settle)
	}
}

// invalidate returns what a user would not expect of it, "" if there is nothing.
func invalidate(ctx context.Context, p instance) string {
	done := make(chan error, 1)
	go func() { done <- p.invalidate(ctx, "k") }()
	select {
	case err := <-done:
		if err != nil {
			return "**an error**"
		}
		return ""
	case <-time.After(waits):
		return "**the invalidation waits until the load has ended**"
	}
}

func overtaken(ctx context.Context, s *stage) string {
	p := s.process()
	release := s.begin(ctx, p)
	s.version.Store(2)
	if trouble := invalidate(ctx, p); trouble != "" {
		return trouble
	}
	release()
	v, err := p.get(ctx, "k")
	return verdict(v, 2, err)
}

func joined(ctx context.Context, s *stage) string {
	p := s.process()
	release := s.begin(ctx, p)
	s.version.Store(2)
	if trouble := invalidate(ctx, p); trouble != "" {
		return trouble
	}
	got := make(chan string, 1)
	go func() {
		v, err := p.get(ctx, "k")
		got <- verdict(v, 2, err)
	}()
	select {
	case out := <-got:
		release()
		return out
	case <-time.After(settle):
	}
	release()
	return <-got
}

func overtakenElsewhere(ctx context.Context, s *stage) string {
	here, there := s.process(), s.process()
	release := s.begin(ctx, there)
	s.version.Store(2)
	if trouble := invalidate(ctx, here); trouble != "" {
		return trouble
	}
	release()
	v, err := here.get(ctx, "k")
	return verdict(v, 2, err)
}

func propagation(ctx context.Context, s *stage) string {
	here, there := s.process(), s.process()
	s.version.Store(1)
	for range 3 {
		here.get(ctx, "k")
		there.get(ctx, "k")
		time.Sleep(settle)
	}
	s.version.Store(2)
	if trouble := invalidate(ctx, here); trouble != "" {
		return trouble
	}
	for began := time.Now(); ; time.Sleep(100 * time.Microsecond) {
		if v, err := there.get(ctx, "k"); v == 2 && err == nil {
			return short(time.Since(began))
		}
		if time.Since(began) > waits {
			return fmt.Sprintf("**more than %v**", waits)
		}
	}
}

func stampede(ctx context.Context, s *stage) string {
	p := s.process()
	s.during = func() { time.Sleep(50 * time.Millisecond) }
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() { p.get(ctx, "k") })
	}
	all.Wait()
	if n := s.loads.Load(); n > 1 {
		return fmt.Sprintf("**%d**", n)
	}
	return "1"
}

func leaving(ctx context.Context, s *stage) string {
	p := s.process()
	s.during = func() { time.Sleep(2 * time.Second) }
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	p.get(ctx, "k")
	if d := time.Since(began); d > 500*time.Millisecond {
		return "**" + short(d) + "**"
	} else {
		return short(d)
	}
}

func panics(ctx context.Context, s *stage) string {
	p := s.process()
	var calm atomic.Bool
	s.during = func() {
		if !calm.Load() {
			panic("the load function")
		}
	}
	func() {
		defer func() { recover() }()
		p.get(ctx, "k")
	}()
	calm.Store(true)
	return within(ctx, p)
}

// within reads and says how it went.
func within(ctx context.Context, p instance) string {
	ctx, cancel := context.WithTimeout(ctx, waits)
	defer cancel()
	type answer struct {
		v   int64
		err error
	}
	got := make(chan answer, 1)
	began := time.Now()
	go func() {
		v, err := p.get(ctx, "k")
		got <- answer{v, err}
	}()
	select {
	case a := <-got:
		d := time.Since(began)
		if a.err != nil {
			return fmt.Sprintf("**an error, after %s**", short(d))
		}
		if d > time.Second {
			return fmt.Sprintf("**its value, after %s**", short(d))
		}
		return "its value, after " + short(d)
	case <-time.After(2 * waits):
		return "**nothing, ever**"
	}
}

func refused(ctx context.Context, s *stage) string {
	p := s.process()
	s.redis.Kill()
	return within(ctx, p)
}

func silent(ctx context.Context, s *stage) string {
	p := s.process()
	p.get(ctx, "other")
	s.redis.Pause()
	defer s.redis.Resume()
	return within(ctx, p)
}

func lostInvalidation(ctx context.Context, s *stage) string {
	p := s.process()
	p.get(ctx, "k")
	s.redis.Kill()
	ctx, cancel := context.WithTimeout(ctx, waits)
	defer cancel()
	if err := p.invalidate(ctx, "k"); err == nil {
		return "**nil**"
	}
	return "an error"
}

func foreign(ctx context.Context, s *stage) string {
	p := s.process()
	p.get(ctx, "k")
	time.Sleep(settle)
	rdb := client(s.redis.Addr())
	defer rdb.Close()
	keys, err := rdb.Keys(ctx, "*").Result()
	for _, k := range keys {
		if rdb.Type(ctx, k).Val() == "string" {
			rdb.Set(ctx, k, "\x00 not what you think", 0)
		}
	}
	if err != nil || len(keys) == 0 {
		return "?"
	}
	return within(ctx, s.process())
}

func short(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return "less than 1 ms"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
