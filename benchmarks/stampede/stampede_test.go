package stampede

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

var server *redisproc.Server

func TestMain(m *testing.M) {
	if name := os.Getenv(libraryVariable); name != "" {
		if err := child(os.Stdin, os.Stdout, name, os.Getenv(addressVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	var err error
	if server, err = redisproc.Start(context.Background(), redisproc.Options{}); err != nil {
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

// executed returns how many commands the server has executed, those of scripts
// included and INFO left out.
func executed(ctx context.Context, rdb *redis.Client) (int64, error) {
	text, err := rdb.Info(ctx, "commandstats").Result()
	if err != nil {
		return 0, err
	}
	return calls(text)
}

func calls(info string) (sum int64, err error) {
	for line := range strings.Lines(info) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), ":calls=")
		if !ok || name == "cmdstat_info" {
			continue
		}
		number, _, _ := strings.Cut(rest, ",")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// measures of one cold key.
type measures struct {
	p50, p99, loads, sent, executed float64
}

func open(tb testing.TB, l library, processes int) []*process {
	var all []*process
	for range processes {
		p, err := spawn(l.name, server.Addr())
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() {
			if err := p.stop(); err != nil {
				tb.Error(err)
			}
		})
		all = append(all, p)
	}
	// Connections, and what is asked when a tag or key is first seen.
	for range 2 {
		if _, err := together(all, 100); err != nil {
			tb.Fatal(err)
		}
	}
	return all
}

func measure(tb testing.TB, rdb *redis.Client, all []*process, goroutines int) (m measures) {
	before, err := executed(tb.Context(), rdb)
	if err != nil {
		tb.Fatal(err)
	}
	answers, err := together(all, goroutines)
	if err != nil {
		tb.Fatal(err)
	}
	after, err := executed(tb.Context(), rdb)
	if err != nil {
		tb.Fatal(err)
	}
	var waits []time.Duration
	for _, a := range answers {
		waits = append(waits, a.Waits...)
		m.loads += float64(a.Loads)
		m.sent += float64(a.Commands) / float64(len(all))
	}
	m.executed = float64(after-before) / float64(len(all))
	slices.Sort(waits)
	m.p50, m.p99 = float64(waits[len(waits)/2]), float64(waits[len(waits)*99/100])
	return m
}

func median(all []measures, of func(measures) float64) float64 {
	var values []float64
	for _, m := range all {
		values = append(values, of(m))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// stampede reports medians over the cold keys, one for each operation, and of the
// loads the most that one of them took. It counts the commands that clients have
// sent, heartbeats included, and those that the server has executed, where scripts
// have more.
func stampede(b *testing.B, processes, goroutines int) {
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	b.Cleanup(func() { rdb.Close() })
	for _, l := range libraries {
		b.Run("lib="+l.name, func(b *testing.B) {
			all := open(b, l, processes)
			var got []measures
			for b.Loop() {
				got = append(got, measure(b, rdb, all, goroutines))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(got, func(m measures) float64 { return m.p50 }), "p50-ns")
			b.ReportMetric(median(got, func(m measures) float64 { return m.p99 }), "p99-ns")
			b.ReportMetric(slices.MaxFunc(got, func(x, y measures) int { return int(x.loads - y.loads) }).loads, "loads")
			b.ReportMetric(median(got, func(m measures) float64 { return m.sent }), "commands/process")
			b.ReportMetric(median(got, func(m measures) float64 { return m.executed }), "executed/process")
		})
	}
}

func BenchmarkStampede1x1000(b *testing.B) { stampede(b, 1, 1000) }
func BenchmarkStampede4x250(b *testing.B)  { stampede(b, 4, 250) }

func TestEachLibraryLoadsAtMostOnceInAProcess(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	for _, l := range libraries {
		m := measure(t, rdb, open(t, l, 2), 50)
		if m.loads < 1 || m.loads > 2 || m.p50 < float64(loadTime) || m.p99 < m.p50 || m.sent < 2 || m.executed < 2 {
			t.Errorf("%s: %+v", l.name, m)
		}
	}
}

func TestTheCallsOfInfoAreSummedUpWithoutInfo(t *testing.T) {
	const info = "# Commandstats\r\ncmdstat_get:calls=3,usec=9,usec_per_call=3.00\r\ncmdstat_info:calls=7,usec=1\r\ncmdstat_config|get:calls=2,usec=1\r\n"
	if n, err := calls(info); n != 5 || err != nil {
		t.Error(n, err)
	}
	if _, err := calls("cmdstat_get:calls=x,usec=1\r\n"); err == nil {
		t.Error("x is a number")
	}
}
