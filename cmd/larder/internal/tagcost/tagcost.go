// Package tagcost measures what it costs to invalidate a tag that many entries carry, with
// the library and in the way that many write themselves: a set of the members of each tag.
package tagcost

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
)

// Config is what a run does.
type Config struct {
	Members []int // entries that carry a tag; rising
	Rounds  int   // tags of each number of members, each of which is invalidated once
}

// Default returns the configuration of a run without flags.
func Default() Config { return Config{Members: []int{1, 10, 100, 1000}, Rounds: 5} }

// Quick returns a configuration for a first look.
func Quick() Config { return Config{Members: []int{1, 10, 100}, Rounds: 3} }

// mostEntries bounds the entries that are in Redis at once.
const mostEntries = 5_000_000

// Check returns an error that names the first field that makes no sense.
func (c Config) Check() error {
	if c.Rounds < 1 || c.Rounds > 1000 {
		return fmt.Errorf("rounds is %d: it must be from 1 to 1000", c.Rounds)
	}
	if len(c.Members) == 0 || c.Members[0] < 1 || !slices.IsSorted(c.Members) {
		return fmt.Errorf("members is %v: it must be numbers from 1 on, that rise", c.Members)
	}
	if n := c.Members[len(c.Members)-1] * c.Rounds; n > mostEntries {
		return fmt.Errorf("members is %v in %d rounds: that is more than %d entries at once", c.Members, c.Rounds, mostEntries)
	}
	return nil
}

// ways are what is compared.
var ways = []struct {
	name, title string
	open        func(ctx context.Context, on *server.Server, prefix string) (way, error)
}{
	{"larder", "Larder", openLarder},
	{"naive", "a set of members for each tag", openNaive},
}

// way is a way to have tags. Entries of a tag are numbered from 0 on.
type way interface {
	// fill stores entries that carry a tag.
	fill(ctx context.Context, tag string, members int) error
	// invalidate invalidates a tag, and returns after how long, from its beginning on, the
	// memory of another process did not serve an entry any more; 0 if there is none.
	invalidate(ctx context.Context, tag string) (took, heard time.Duration, err error)
	close(ctx context.Context) error
}

// Steps returns what a run consists of.
func Steps(c Config) (steps []progress.Step) {
	const entry = 400 * time.Microsecond // to be stored, where scripts are slow
	for _, w := range ways {
		for _, n := range c.Members {
			steps = append(steps, progress.Step{Name: fmt.Sprintf("tags of %d entries, %s", n, w.title), Expected: time.Duration(n*c.Rounds) * entry})
		}
	}
	return steps
}

// figures are those of one number of members.
type figures struct {
	members  int
	took     latency.Recorder
	heard    latency.Recorder
	commands float64 // that the server ran for an invalidation; below 0: not known
}

// Run measures the ways in turn. After an error, also that of ctx, the section has what was
// measured until then.
func Run(ctx context.Context, on *server.Server, prefix string, c Config, meter *progress.Meter) (*results.Section, error) {
	all := make([][]figures, len(ways))
	for i, w := range ways {
		var err error
		if all[i], err = measure(ctx, i, on, fmt.Sprintf("%s-%s", prefix, w.name), c, meter); err != nil {
			return section(c, all), fmt.Errorf("%s: %w", w.title, err)
		}
	}
	return section(c, all), nil
}

func measure(ctx context.Context, i int, on *server.Server, prefix string, c Config, meter *progress.Meter) (all []figures, err error) {
	w, err := ways[i].open(ctx, on, prefix)
	if err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err1 := w.close(ctx); err == nil {
			err = err1
		}
	}()
	for _, n := range c.Members {
		meter.Next(nil)
		f := figures{members: n, took: latency.NewRecorder(), heard: latency.NewRecorder()}
		tag := func(round int) string { return fmt.Sprintf("tag-%d-%d", n, round) }
		for round := range c.Rounds {
			if err := w.fill(ctx, tag(round), n); err != nil {
				return all, err
			}
		}
		before := commands(ctx, on)
		for round := range c.Rounds {
			took, heard, err := w.invalidate(ctx, tag(round))
			if err != nil {
				return all, err
			}
			f.took.Record(took)
			f.heard.Record(heard)
		}
		if f.commands = -1; before >= 0 {
			f.commands = float64(commands(ctx, on)-before-1) / float64(c.Rounds) // but for the question itself
		}
		all = append(all, f)
	}
	return all, nil
}
