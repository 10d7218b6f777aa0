// Package footprint measures how many bytes an entry takes: in memory beside a plain map
// and an LRU list, and in Redis beside a plain SET.
package footprint

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
)

// Config is what a run does.
type Config struct {
	Entries []int // in memory; rising
	Remote  int   // in Redis; 0 leaves it out
	Size    int   // bytes of each value
}

// Default returns the configuration of a run without flags.
func Default() Config { return Config{Entries: []int{10_000, 100_000}, Remote: 2000, Size: 100} }

// Quick returns a configuration for a first look.
func Quick() Config { return Config{Entries: []int{10_000}, Remote: 500, Size: 100} }

// Check returns an error that names the first field that makes no sense.
func (c Config) Check() error {
	switch {
	case len(c.Entries) == 0 || c.Entries[0] < 100 || c.Entries[len(c.Entries)-1] > 10_000_000 || !slices.IsSorted(c.Entries):
		return fmt.Errorf("entries is %v: it must be numbers from 100 to 10000000, that rise", c.Entries)
	case c.Remote < 0 || c.Remote > 1_000_000:
		return fmt.Errorf("remote is %d: it must be from 0 to 1000000", c.Remote)
	case c.Size < 1 || c.Size > 1<<20:
		return fmt.Errorf("size is %d: it must be from 1 to %d", c.Size, 1<<20)
	}
	return nil
}

// Steps returns what a run consists of.
func Steps(c Config) (steps []progress.Step) {
	for _, n := range c.Entries {
		for _, k := range kinds {
			steps = append(steps, progress.Step{Name: fmt.Sprintf("%d entries, %s", n, k.title), Expected: expected(n)})
		}
	}
	return append(steps, progress.Step{Name: "entries in Redis", Expected: expected(c.Remote * 100)})
}

// figures is the bytes of an entry, by the name of the kind.
type figures map[string]float64

// Run measures all in turn. After an error, also that of ctx, the section has what was
// measured until then.
func Run(ctx context.Context, on *server.Server, prefix string, c Config, meter *progress.Meter) (*results.Section, error) {
	var all []figures
	for _, n := range c.Entries {
		f := figures{}
		for _, k := range kinds {
			meter.Next(nil)
			if err := ctx.Err(); err != nil {
				return section(c, all, nil), err
			}
			f[k.name] = perEntry(n, func() any { return k.fill(n, c.Size) })
		}
		all = append(all, f)
	}
	meter.Next(nil)
	r, err := measureRemote(ctx, on, prefix, c)
	return section(c, all, r), err
}

// perEntry returns by how much the heap grows for each of n entries, while what fill
// returned is in use.
func perEntry(n int, fill func() any) float64 {
	before := heap()
	kept := fill()
	after := heap()
	runtime.KeepAlive(kept)
	return (float64(after) - float64(before)) / float64(n)
}

// heap returns the bytes that are in use after all garbage is gone. What has cleanups, or is
// in a sync.Pool, takes several collections to go.
func heap() uint64 {
	var m runtime.MemStats
	for before := ^uint64(0); ; before = m.HeapAlloc {
		for range 3 {
			runtime.GC()
			time.Sleep(time.Millisecond) // cleanups run in goroutines of their own
		}
		if runtime.ReadMemStats(&m); m.HeapAlloc+1024 > before {
			return m.HeapAlloc
		}
	}
}
