// Package remote compares reads of Redis, and invalidations. What one goroutine
// does is best measured with the program and the server on one processor, as
// otherwise the time of a wake-up across processors is all that is seen.
package remote

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/benchmarks/wire"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

var server *redisproc.Server

func TestMain(m *testing.M) {
	ctx := context.Background()
	var err error
	if server, err = redisproc.Start(ctx, redisproc.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Stop()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// reads compares libraries, each opened once for a number of processors.
func reads(all *testing.B, goroutines int, libraries []library) {
	for _, l := range libraries {
		var read reader
		procs := 0
		all.Run("lib="+l.name, func(b *testing.B) {
			ctx := all.Context()
			if procs != runtime.GOMAXPROCS(0) {
				procs = runtime.GOMAXPROCS(0)
				read = l.open(all)
				for i := range resident {
					read(ctx, i) // connections and hints
				}
			}
			b.ReportAllocs()
			if goroutines == 1 {
				for i := 0; b.Loop(); i++ {
					if err := read(ctx, i*7919%resident); err != nil {
						b.Fatal(err)
					}
				}
				return
			}
			together(b, goroutines, read)
		})
	}
}

func together(b *testing.B, goroutines int, read reader) {
	var start, failed atomic.Int64
	b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := int(start.Add(7919)); pb.Next(); i++ {
			if err := read(b.Context(), i*7919%resident); err != nil {
				failed.Add(1)
			}
		}
	})
	if n := failed.Load(); n > 0 {
		b.Errorf("%d reads have failed", n)
	}
}

func BenchmarkGet(b *testing.B)              { reads(b, 1, libraries) }
func BenchmarkGet64Goroutines(b *testing.B)  { reads(b, 64, libraries) }
func BenchmarkGet512Goroutines(b *testing.B) { reads(b, 512, libraries) }

func BenchmarkTags(b *testing.B) {
	for _, n := range []int{0, 1, 3} {
		b.Run("tags="+strconv.Itoa(n), func(b *testing.B) {
			reads(b, 1, []library{{"larder", func(b testing.TB) reader { return openLarder(b, n) }}})
		})
	}
}

// BenchmarkMiss asks for what is not there, and loads nothing.
func BenchmarkMiss(b *testing.B) {
	reads(b, 1, []library{
		{"go-redis", func(b testing.TB) reader {
			c := client(b)
			return func(ctx context.Context, i int) error {
				if err := c.Get(ctx, "none:"+keys[i]).Err(); err != redis.Nil {
					return fmt.Errorf("a miss is %w", err)
				}
				return nil
			}
		}},
		{"larder", func(b testing.TB) reader {
			s := redisstore.New[string, []byte](open(b, client(b)), "none", nil)
			return func(ctx context.Context, i int) error {
				if e, err := s.Get(ctx, keys[i]); e != nil || err != nil {
					return fmt.Errorf("a miss is %v, %w", e, err)
				}
				return nil
			}
		}},
	})
}

func BenchmarkGetMany100(b *testing.B) {
	each := func(name string, open func(b testing.TB) func(ctx context.Context, at int) error) {
		b.Run("lib="+name, func(b *testing.B) {
			read := open(b)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := read(b.Context(), i*100%resident); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	each("go-redis", func(b testing.TB) func(context.Context, int) error {
		c := client(b)
		names := storeRaw(b, c)
		return func(ctx context.Context, at int) error { return c.MGet(ctx, names[at:at+100]...).Err() }
	})
	each("larder", func(b testing.TB) func(context.Context, int) error {
		s := filled(b, client(b), 1)
		return func(ctx context.Context, at int) error {
			got, err := s.GetMany(ctx, keys[at:at+100])
			if err == nil && len(got) != 100 {
				err = fmt.Errorf("there are %d", len(got))
			}
			return err
		}
	})
	each("rueidis", func(b testing.TB) func(context.Context, int) error {
		names := storeRaw(b, client(b))
		c := rueidisClient(b)
		return func(ctx context.Context, at int) error {
			_, err := c.Do(ctx, c.B().Mget().Key(names[at:at+100]...).Build()).ToArray()
			return err
		}
	})
}

// BenchmarkInvalidateTag is of a tag that members entries have, beside the least
// that one round trip can do.
func BenchmarkInvalidateTag(b *testing.B) {
	for _, members := range []int{10, 1000, 100_000} {
		b.Run("members="+strconv.Itoa(members)+"/lib=go-redis-incr", func(b *testing.B) {
			c := client(b)
			for b.Loop() {
				if err := c.Incr(b.Context(), "counter").Err(); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("members="+strconv.Itoa(members)+"/lib=larder", func(b *testing.B) {
			space := open(b, client(b))
			s := redisstore.New[int, []byte](space, "members", nil)
			tag := "members:" + strconv.Itoa(members)
			some := make([]int, min(members, 1000))
			for at := 0; at < members; at += len(some) {
				for i := range some {
					some[i] = at + i
				}
				put(b, s, some, value[:64], []string{tag})
			}
			for b.Loop() {
				if err := space.InvalidateTags(b.Context(), tag); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCommands counts what is sent; its time means nothing.
func BenchmarkCommands(b *testing.B) {
	for _, c := range []struct {
		call string
		do   func(ctx context.Context, s *redisstore.Store[string, []byte], i int) error
	}{
		{"Get", func(ctx context.Context, s *redisstore.Store[string, []byte], i int) error {
			_, err := s.Get(ctx, keys[i%resident])
			return err
		}},
		{"GetMany100", func(ctx context.Context, s *redisstore.Store[string, []byte], i int) error {
			at := i * 100 % resident
			_, err := s.GetMany(ctx, keys[at:at+100])
			return err
		}},
	} {
		b.Run("call="+c.call+"/tags=3/lib=larder", func(b *testing.B) {
			var counter wire.Counter
			rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), Dialer: counter.Dial})
			b.Cleanup(func() { rdb.Close() })
			// No beats in between.
			space, err := redisstore.Open(b.Context(), rdb, "bench", &redisstore.Options{Timeout: timeout, Lease: time.Hour})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { space.Close(context.Background()) })
			s := filledIn(b, space, 3)
			for i := range 100 {
				if err := c.do(b.Context(), s, i); err != nil {
					b.Fatal(err)
				}
			}
			before, n := counter.Commands(), 0
			for b.Loop() {
				if err := c.do(b.Context(), s, n); err != nil {
					b.Fatal(err)
				}
				n++
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(counter.Commands()-before)/float64(n), "commands/op")
		})
	}
}

// A reader that finds nothing, or does not say so, would be measured at misses.
func TestEveryReaderFindsWhatWasStored(t *testing.T) {
	for _, l := range libraries {
		read := l.open(t)
		for i := range 100 {
			if err := read(t.Context(), i); err != nil {
				t.Errorf("%s: %v", l.name, err)
				break
			}
		}
		if err := client(t).FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if read(t.Context(), 0) == nil {
			t.Errorf("%s finds what is not there", l.name)
		}
	}
}
