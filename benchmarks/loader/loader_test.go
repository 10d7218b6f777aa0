package loader

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/benchmarks/wire"
	"github.com/larder-cache/larder/internal/redisproc"
	"go.uber.org/goleak"
)

var server *redisproc.Server

// unending is of a library that cannot be ended.
var unending = goleak.IgnoreAnyFunction("github.com/viccon/sturdyc.(*Client[...]).performContinuousEvictions.func1")

func TestMain(m *testing.M) {
	var err error
	if server, err = redisproc.Start(context.Background(), redisproc.Options{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	server.Stop()
	if code == 0 {
		if err := goleak.Find(unending); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const resident = 10_000

var keys [resident]string

func init() {
	for i := range keys {
		keys[i] = fmt.Sprintf("user:%011d", i)
	}
}

// warm reads all keys until that loads none and sends nothing but what a bus
// sends, and returns an error if it does not come to that.
func warm(ctx context.Context, l opened, o *origin, c *wire.Counter, n int) error {
	loads, commands := o.loads.Load(), c.Commands()
	for range 20 {
		for _, k := range keys[:n] {
			if u, err := l.get(ctx, k); err != nil || u.Name != k {
				return fmt.Errorf("%s: %v, %w", k, u, err)
			}
		}
		loadsNow, commandsNow := o.loads.Load(), c.Commands()
		if loadsNow == loads && commandsNow-commands < 10 {
			return nil
		}
		loads, commands = loadsNow, commandsNow
	}
	return fmt.Errorf("%d loads, %d commands, and no end", loads, commands)
}

var seeds atomic.Uint64

// BenchmarkHit is of reads that all find a value in memory, by value.
func BenchmarkHit(all *testing.B) {
	for _, l := range libraries {
		var (
			o     origin
			c     wire.Counter
			cache opened
			procs int
		)
		all.Run("lib="+l.name, func(b *testing.B) {
			if procs != runtime.GOMAXPROCS(0) {
				procs = runtime.GOMAXPROCS(0)
				cache = l.open(all, &o, &c) // for longer than one trial
				if err := warm(b.Context(), cache, &o, &c, resident); err != nil {
					b.Fatal(err)
				}
			}
			loads, commands := o.loads.Load(), c.Commands()
			ctx := context.Background()
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := uint32(seeds.Add(0x9e3779b9)); pb.Next(); i++ {
					if u, err := cache.get(ctx, keys[i*2654435761>>8%resident]); err != nil || u.ID == 0 {
						b.Error(u, err)
						return
					}
				}
			})
			b.StopTimer()
			if n := o.loads.Load() - loads; n > 0 {
				b.Errorf("%d loads", n)
			}
			b.ReportMetric(float64(c.Commands()-commands)/float64(b.N), "commands/op")
		})
	}
}

// BenchmarkMiss counts, with one caller and a load that takes no time. Each round
// trip is made to take long, so that those that a caller waits for can be told.
func BenchmarkMiss(b *testing.B) {
	const delay = 10 * time.Millisecond
	for _, l := range []library{
		// No beats in between, which are not of the miss.
		{"larder", func(tb testing.TB, o *origin, c *wire.Counter) opened { return openTiered(tb, o, c, time.Hour, true) }},
		{"larder-key-tags", func(tb testing.TB, o *origin, c *wire.Counter) opened { return openTiered(tb, o, c, time.Hour, false) }},
		{"go-redis-cache", openGoRedisCache},
	} {
		b.Run("lib="+l.name, func(b *testing.B) {
			var (
				o origin
				c wire.Counter
			)
			cache := l.open(b, &o, &c)
			if err := warm(b.Context(), cache, &o, &c, 100); err != nil {
				b.Fatal(err)
			}
			c.Delay(delay)
			n, waited := 0, time.Duration(0)
			commands, trips := c.Commands(), c.Trips()
			for b.Loop() {
				begin := time.Now()
				if _, err := cache.get(b.Context(), "miss:"+strconv.Itoa(n)); err != nil {
					b.Fatal(err)
				}
				waited += time.Since(begin)
				n++
				time.Sleep(2 * delay) // for what is stored behind the caller's back
			}
			if cache.wait != nil {
				cache.wait()
			}
			ops := float64(n)
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(c.Commands()-commands)/ops, "commands/op")
			b.ReportMetric(float64(c.Trips()-trips)/ops, "trips/op")
			b.ReportMetric(math.Floor(float64(waited)/ops/float64(delay)), "trips-waited-for/op")
		})
	}
}

// A library that loads again, or asks Redis, would not be measured at hits.
func TestASecondReadIsAHit(t *testing.T) {
	for _, l := range libraries {
		var (
			o origin
			c wire.Counter
		)
		cache := l.open(t, &o, &c)
		if err := warm(t.Context(), cache, &o, &c, 100); err != nil {
			t.Errorf("%s: %v", l.name, err)
		}
		if n := o.loads.Load(); n < 100 {
			t.Errorf("%s: %d loads of 100 keys", l.name, n)
		}
	}
}
