// Package stampede measures what happens when a value expires that many read: how many
// processes and goroutines ask the database for it, and for how long readers wait.
//
// Processes read through one Redis, without memory of their own, and load from one
// simulated database, which is in the parent and counts. Readers are paced. A load
// belongs to the expiry that caused it: an expiry ends when nobody has loaded for a
// quarter of the TTL.
package stampede

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/fleet"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// Run measures all ways on a server, with keys that begin with prefix. After an error,
// also that of ctx, it returns what was measured until then, or nil.
func Run(ctx context.Context, on *server.Server, prefix string, c Config, meter *progress.Meter) (*results.Section, error) {
	access, err := on.Access(ctx)
	if err != nil {
		return nil, err
	}
	r := &run{Config: c, access: access, prefix: prefix, database: fleet.NewDatabase()}
	if r.fleet, err = fleet.Start[order, answer](WorkerCommand, c.Processes, r.hear); err != nil {
		r.database.End(func() {})
		return nil, err
	}
	defer r.database.End(r.fleet.Close)
	var outcomes []outcome
	for i := range ways {
		meter.Next(progress.Count(r.begin()))
		o, err := r.play(ctx, &ways[i])
		if o != nil && (err == nil || len(o.expiries) > 0) {
			outcomes = append(outcomes, *o)
		}
		if err != nil {
			if len(outcomes) == 0 {
				return nil, err
			}
			return section(c, outcomes), err
		}
	}
	return section(c, outcomes), nil
}

// run is a run under way.
type run struct {
	Config
	access   server.Access
	prefix   string
	fleet    *fleet.Fleet[order, answer]
	database *fleet.Database

	mu      sync.Mutex
	ready   chan struct{} // has one for each process that is
	reports chan report
	loads   []load
}

// load is a query of the database.
type load struct {
	key        uint32
	process    int
	begin, end int64 // begin is when the process asked
}

// outcome is what was measured of one way.
type outcome struct {
	way      *way
	began    int64
	took     time.Duration
	loads    []load
	expiries []expiry
	waits    []wait
	hits     []int64
	errors   int64
	first    string // error
	late     time.Duration
}

// begin makes a new database, and returns how many reads there were since.
func (r *run) begin() func() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready, r.reports, r.loads = make(chan struct{}, r.Processes), make(chan report, r.Processes), nil
	return r.database.Begin(simdb.Settings{
		Seed: r.Seed, Rows: r.Keys, GroupSize: 1, Body: simdb.Text(r.Seed, func(uint32) int { return 200 }, 200, 0), Connections: r.Connections,
		Delay: simdb.Delay{Median: r.Load, Floor: r.Load},
	})
}

// hear takes what a process says.
func (r *run) hear(from int, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case a.Question != nil:
		q := *a.Question
		r.database.Answer(q, func(reply fleet.Reply) {
			r.mu.Lock()
			r.loads = append(r.loads, load{q.Row, from, q.At, fleet.Now()})
			r.mu.Unlock()
			r.fleet.Order(from, order{Reply: &reply}) // a process that is gone is known by its end
		})
	case a.Report != nil:
		r.reports <- *a.Report
	case a.Ready:
		r.ready <- struct{}{}
	default:
		r.database.Read(from, a.Reads)
	}
}

// play measures one way. With the error of ctx it returns what it has.
func (r *run) play(ctx context.Context, w *way) (*outcome, error) {
	// One after the other: the first fills the cache.
	for i := range r.Processes {
		if err := r.fleet.Order(i, order{Play: &play{r.access, r.prefix + "-" + w.name, w.name, r.Config, i, i == 0}}); err != nil {
			return nil, err
		}
		if _, err := fleet.Await(ctx, r.fleet, r.ready); err != nil {
			return nil, err
		}
	}
	o := &outcome{way: w, began: fleet.Now()}
	if err := r.fleet.OrderAll(order{Go: true}); err != nil {
		return nil, err
	}
	interrupted := r.fleet.Wait(ctx, r.each())
	if err := r.fleet.Err(); err != nil {
		return nil, err
	}
	ended := fleet.Now()
	if err := r.fleet.OrderAll(order{Stop: true}); err != nil {
		return nil, err
	}
	for range r.Processes {
		p, err := fleet.Await(context.WithoutCancel(ctx), r.fleet, r.reports)
		if err != nil {
			return nil, err
		}
		o.add(p)
	}
	o.took = time.Duration(ended - o.began)
	r.mu.Lock()
	for _, l := range r.loads {
		if l.begin >= o.began {
			o.loads = append(o.loads, l)
		}
	}
	r.mu.Unlock()
	o.expiries = expiriesOf(o.loads, r.gap())
	if o.errors > 0 && interrupted == nil {
		return o, fmt.Errorf("stampede, %s: %d reads gave an error, the first: %s", w.title, o.errors, o.first)
	}
	return o, interrupted
}

func (o *outcome) add(r report) {
	o.waits, o.hits = append(o.waits, r.Waits...), append(o.hits, r.Hits...)
	o.late = max(o.late, time.Duration(r.Late))
	if o.errors += r.Errors; o.first == "" {
		o.first = r.First
	}
}
