package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// valve holds back reads that ask for a key, and notes what all ask for.
type valve struct {
	key     string
	reached chan struct{} // a value each time a read is held back
	open    chan struct{}
	mu      sync.Mutex
	sent    [][]string
}

func newValve(key string) *valve {
	return &valve{key: key, reached: make(chan struct{}, 100), open: make(chan struct{})}
}

func (h *valve) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *valve) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.pass(cmd)
		return next(ctx, cmd)
	}
}

func (h *valve) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			h.pass(cmd)
		}
		return next(ctx, cmds)
	}
}

func (h *valve) pass(cmd redis.Cmder) {
	if cmd.Name() != "mget" {
		return
	}
	var keys []string
	for _, a := range cmd.Args()[1:] {
		switch k := a.(type) {
		case *string:
			keys = append(keys, *k)
		case string:
			keys = append(keys, k)
		}
	}
	h.mu.Lock()
	h.sent = append(h.sent, keys)
	h.mu.Unlock()
	if slices.Contains(keys, h.key) {
		h.reached <- struct{}{}
		<-h.open
	}
}

// asking returns how many commands have asked for a key.
func (h *valve) asking(key string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, keys := range h.sent {
		if slices.Contains(keys, key) {
			n++
		}
	}
	return n
}

// patient makes those who wait for a place never go before the read returns.
func (g *gather) patient() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.timer = time.NewTimer(time.Hour)
}

func (g *gather) waiting() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// waits fails the test unless, when all is quiet, want reads wait for a place.
func waits(t *testing.T, s *Store[int, int], want int) {
	t.Helper()
	synctest.Wait()
	if n := s.space.servers.single.waiting(); n != want {
		t.Fatalf("%d wait", n)
	}
}

// gathered runs a test in a bubble, with a store on a server of its own.
func gathered(t *testing.T, f func(t *testing.T, s *Store[int, int])) {
	synctest.Test(t, func(t *testing.T) {
		server := miniredis.NewMiniRedis()
		defer server.Close()
		rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Dialer: func(context.Context, string, string) (net.Conn, error) {
			return server.Dial()
		}})
		defer rdb.Close()
		f(t, gatherStore(t, rdb))
	})
}

func gatherStore(t *testing.T, rdb redis.UniversalClient) *Store[int, int] {
	space, err := Open(t.Context(), rdb, "gather"+fmt.Sprintf("%x", random(4)), &Options{NoBus: true, Timeout: time.Minute})
	must(t, err)
	t.Cleanup(func() { space.Close(context.Background()) })
	return New[int, int](space, "rows", nil)
}

func put(t *testing.T, s *Store[int, int], k, v int) {
	t.Helper()
	f, err := s.Reserve(t.Context(), cache.Slot[int]{Key: k, Tags: []string{"rows"}})
	must(t, err)
	if out, err := f.Commit(t.Context(), &cache.Entry[int]{Value: v, Tags: []string{"rows"}, Expires: cache.Forever}); err != nil || out[0] != cache.Stored {
		t.Fatal(out, err)
	}
}

func TestReadsThatComeWhileOneIsUnderWayGoInOneCommand(t *testing.T) {
	gathered(t, func(t *testing.T, s *Store[int, int]) {
		for k := range 10 {
			put(t, s, k, k)
		}
		v := newValve(s.key(0))
		s.space.Client().AddHook(v)
		s.space.servers.single.patient()
		var wg sync.WaitGroup
		read := func(k int) {
			wg.Go(func() {
				if e, err := s.Get(t.Context(), k); err != nil || e == nil || e.Value != k {
					t.Errorf("%d: %+v, %v", k, e, err)
				}
			})
		}
		read(0)
		<-v.reached
		for k := range 80 {
			read(1 + k%9)
		}
		waits(t, s, 80)
		close(v.open)
		wg.Wait()
		if n := len(v.sent); n != 2 {
			t.Errorf("%d commands for one read and eighty that came meanwhile", n)
		}
		if got := v.sent[1]; len(got) != 11 { // nine rows, the tag, the lane
			t.Errorf("the eighty asked for %q", got)
		}
	})
}

func TestAStampedeOnOneKeyIsTwoCommands(t *testing.T) {
	gathered(t, func(t *testing.T, s *Store[int, int]) {
		put(t, s, 0, 1)
		v := newValve(s.key(0))
		s.space.Client().AddHook(v)
		s.space.servers.single.patient()
		var wg sync.WaitGroup
		read := func() {
			wg.Go(func() {
				if e, err := s.Get(t.Context(), 0); err != nil || e == nil {
					t.Errorf("%+v, %v", e, err)
				}
			})
		}
		read()
		<-v.reached
		for range 1000 {
			read()
		}
		waits(t, s, 1000)
		close(v.open)
		wg.Wait()
		if n := v.asking(s.key(0)); n != 2 {
			t.Errorf("%d commands", n)
		}
	})
}

func TestAReadIsNotAnsweredByOneThatWasSentBefore(t *testing.T) {
	gathered(t, func(t *testing.T, s *Store[int, int]) {
		put(t, s, 0, 1)
		v := newValve(s.key(0))
		s.space.Client().AddHook(v)
		s.space.servers.single.patient()
		var wg sync.WaitGroup
		wg.Go(func() { s.Get(t.Context(), 0) })
		<-v.reached
		must(t, s.Invalidate(t.Context(), 0))
		put(t, s, 0, 2)
		wg.Go(func() {
			if e, err := s.Get(t.Context(), 0); err != nil || e == nil || e.Value != 2 {
				t.Errorf("%+v, %v", e, err)
			}
		})
		waits(t, s, 1)
		close(v.open)
		wg.Wait()
		if n := v.asking(s.key(0)); n != 2 {
			t.Errorf("%d commands", n)
		}
	})
}

func TestWhoWaitsForAPlaceLeavesWithItsContext(t *testing.T) {
	gathered(t, func(t *testing.T, s *Store[int, int]) {
		put(t, s, 0, 0)
		put(t, s, 1, 1)
		v := newValve(s.key(0))
		s.space.Client().AddHook(v)
		g := &s.space.servers.single.gather
		g.patient()
		var wg sync.WaitGroup
		wg.Go(func() { s.Get(t.Context(), 0) })
		<-v.reached
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		go func() {
			_, err := s.Get(ctx, 1)
			left <- err
		}()
		waits(t, s, 1)
		leave()
		if err := <-left; !errors.Is(err, context.Canceled) { // although the first read still hangs
			t.Errorf("who left has %v", err)
		}
		close(v.open)
		wg.Wait()
		if e, err := s.Get(t.Context(), 1); err != nil || e == nil {
			t.Errorf("%+v, %v", e, err)
		}
	})
}

func TestAReadThatHangsDoesNotHoldTheOthers(t *testing.T) {
	gathered(t, func(t *testing.T, s *Store[int, int]) {
		put(t, s, 0, 0)
		put(t, s, 1, 1)
		v := newValve(s.key(0))
		s.space.Client().AddHook(v)
		var wg sync.WaitGroup
		wg.Go(func() { s.Get(t.Context(), 0) })
		<-v.reached
		for range 10 { // each would wait for ever
			if e, err := s.Get(t.Context(), 1); err != nil || e == nil {
				t.Errorf("%+v, %v", e, err)
			}
		}
		close(v.open)
		wg.Wait()
	})
}

// mute lets no command through before its time is over.
type mute struct{ valve }

func (h *mute) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		h.sent = append(h.sent, []string{*cmds[0].Args()[1].(*string)})
		h.reached <- struct{}{}
		<-h.open
		by, _ := ctx.Deadline()
		time.Sleep(time.Until(by)) // of the bubble
		for _, cmd := range cmds {
			cmd.SetErr(context.DeadlineExceeded)
		}
		return context.DeadlineExceeded
	}
}

func TestWhoWaitsForAServerThatDoesNotAnswerWaitsForOneTimeout(t *testing.T) {
	gathered(t, func(t *testing.T, s *Store[int, int]) {
		s.space.pace.timeout = 50 * time.Millisecond
		h := &mute{*newValve("")}
		s.space.Client().AddHook(h)
		s.space.servers.single.patient()
		var wg sync.WaitGroup
		read := func(k int) {
			wg.Go(func() {
				if _, err := s.Get(t.Context(), k); !errors.Is(err, cache.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%d: %v", k, err)
				}
			})
		}
		read(0)
		<-h.reached
		for range 10 {
			read(1)
		}
		waits(t, s, 10)
		close(h.open)
		wg.Wait()
		if len(h.sent) != 1 {
			t.Errorf("those who had waited asked again: %q", h.sent)
		}
	})
}

// poll waits until ok, for real servers.
func poll(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestInAClusterReadsGoTogetherByServer(t *testing.T) {
	ctx := t.Context()
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: redistest.Cluster(t).Addrs()})
	defer rdb.Close()
	s := gatherStore(t, rdb)
	const rows = 60
	byServer := map[*server][]int{}
	of := func(key string) *server {
		server, err := s.space.servers.of(ctx, s.space, key)
		if err != nil {
			t.Fatal(err)
		}
		return server
	}
	for k := range rows {
		put(t, s, k, k)
		g := of(s.key(k))
		byServer[g] = append(byServer[g], k)
	}
	if len(byServer) < 3 {
		t.Fatalf("%d servers", len(byServer))
	}
	lanes := map[*server]bool{of(s.space.tagKey("rows")): true}
	hangs := 0
	for of(s.space.starKey(s.space.lane(s.key(hangs)))) != of(s.key(hangs)) ||
		!lanes[of(s.key(hangs))] {
		hangs++ // until all that belongs to it is on one server, that of the tag
	}
	v := newValve(s.key(hangs))
	s.space.Client().AddHook(v)
	slow := of(s.key(hangs))
	for g := range byServer {
		g.patient()
	}
	var wg sync.WaitGroup
	var done atomic.Int64
	read := func(k int) {
		wg.Go(func() {
			if e, err := s.Get(ctx, k); err != nil || e == nil || e.Value != k {
				t.Errorf("%d: %+v, %v", k, e, err)
			}
			done.Add(1)
		})
	}
	read(hangs)
	<-v.reached
	for range 5 {
		for k := range rows {
			if k != hangs {
				read(k)
			}
		}
	}
	// All have the tag, so all wait for its server.
	poll(t, "nobody waits", func() bool { return slow.waiting() == 5*(rows-1) })
	if done.Load() != 0 {
		t.Errorf("%d reads did not wait for the versions of their tags", done.Load())
	}
	close(v.open)
	wg.Wait()
	if n := v.asking(s.space.tagKey("rows")); n > 1+5*rows*3/maxMGet+3 {
		t.Errorf("%d commands asked for the tag", n)
	}
}
