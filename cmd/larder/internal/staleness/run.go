// Package staleness measures how old what processes read from their memory may be, while
// others write: whether anything is read that was invalidated, and for how long what has
// changed is not seen.
//
// Processes with memory in front of one Redis read a few rows all the time. The parent
// has the database, writes rows and invalidates them, and knows of each version when it
// was committed and when its invalidation was acknowledged, on a clock that all processes
// share. For a while one process does not hear from Redis, and nobody tells it.
package staleness

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
	"github.com/larder-cache/larder/internal/netfault"
)

// Run measures all ways on a server, with keys that begin with prefix. After an error,
// also that of ctx, it returns what was measured until then, or nil.
func Run(ctx context.Context, on *server.Server, prefix string, c Config, meter *progress.Meter) (s *results.Section, err error) {
	access, err := on.Access(ctx)
	if err != nil {
		return nil, err
	}
	r := &run{Config: c, on: on, access: access, prefix: prefix, heard: map[string]string{}, database: fleet.NewDatabase()}
	defer func() {
		for _, p := range r.proxies {
			p.Close()
		}
	}()
	for _, a := range access.Addrs {
		p, err := netfault.Start(a)
		if err != nil {
			return nil, err
		}
		r.proxies, r.heard[a] = append(r.proxies, p), p.Addr()
	}
	if r.fleet, err = fleet.Start[order, answer](WorkerCommand, c.Processes, r.hear); err != nil {
		r.database.End(func() {})
		return nil, err
	}
	defer r.database.End(r.fleet.Close)
	var outcomes []outcome
	for i := range ways {
		meter.Next(progress.Count(r.begin()))
		o, err := r.play(ctx, &ways[i])
		if o != nil && (err == nil || o.writes > 0) {
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
	on       *server.Server
	access   server.Access
	prefix   string
	proxies  []*netfault.Proxy // in the way of the last process
	heard    map[string]string // their addresses
	fleet    *fleet.Fleet[order, answer]
	database *fleet.Database

	mu             sync.Mutex
	ready, stopped chan struct{} // has one for each process that is
	founds         chan found
}

// outcome is what was measured of one way.
type outcome struct {
	way   *way
	began int64
	took  time.Duration
	// cut is between which times, since began, one process did not hear.
	cut [2]time.Duration
	finding
	writes, failed int64
	own            int64   // reads of the writer that gave what it had invalidated
	acks           []int64 // how long invalidations took
	interrupted    bool    // so that nothing is to be said of the end
	errors         int64
	first          string // error
}

// begin makes a new database, and returns how many reads there were since.
func (r *run) begin() func() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ready, r.stopped, r.founds = make(chan struct{}, r.Processes), make(chan struct{}, r.Processes), make(chan found, r.Processes)
	return r.database.Begin(simdb.Settings{
		Seed: r.Seed, Rows: r.Keys, GroupSize: 1, Body: simdb.Text(r.Seed, func(uint32) int { return 100 }, 100, 0), Connections: 1000,
		Delay: simdb.Delay{Median: r.Load, Floor: r.Load},
	})
}

// hear takes what a process says.
func (r *run) hear(from int, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case a.Question != nil:
		r.database.Answer(*a.Question, func(reply fleet.Reply) {
			r.fleet.Order(from, order{Reply: &reply}) // a process that is gone is known by its end
		})
	case a.Found != nil:
		r.founds <- *a.Found
	case a.Ready:
		r.ready <- struct{}{}
	case a.Stopped:
		r.stopped <- struct{}{}
	default:
		r.database.Read(from, a.Reads)
	}
}

// play measures one way. With the error of ctx it returns what it has.
func (r *run) play(ctx context.Context, w *way) (o *outcome, err error) {
	writer, err := r.open(ctx, w)
	if err != nil {
		return nil, err
	}
	defer writer.close()
	for i := range r.Processes {
		p := play{Access: r.access, Namespace: r.namespace(w), Way: w.name, Config: r.Config}
		if i == r.Processes-1 {
			p.Heard = r.heard
		}
		if err := r.fleet.Order(i, order{Play: &p}); err != nil {
			return nil, err
		}
	}
	if err := each(ctx, r, r.ready, nil); err != nil {
		return nil, err
	}
	o = &outcome{way: w, began: fleet.Now()}
	if err := r.fleet.OrderAll(order{Go: true}); err != nil {
		return nil, err
	}
	interrupted := r.write(ctx, o, writer)
	o.interrupted = interrupted != nil
	if err := r.fleet.OrderAll(order{Stop: true}); err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	if err := each(ctx, r, r.stopped, nil); err != nil {
		return nil, err
	}
	o.took = time.Duration(fleet.Now() - o.began)
	if err := r.fleet.OrderAll(order{Judge: writer.histories}); err != nil {
		return nil, err
	}
	if err := each(ctx, r, r.founds, func(f found) {
		o.add(f.finding)
		if o.errors += f.Errors; o.first == "" {
			o.first = f.First
		}
	}); err != nil {
		return nil, err
	}
	writer.report(o)
	if o.errors > 0 && interrupted == nil {
		return o, fmt.Errorf("staleness, %s: %d reads gave an error, the first: %s", w.title, o.errors, o.first)
	}
	return o, interrupted
}

func (r *run) namespace(w *way) string { return r.prefix + "-" + w.name }

// each waits for one thing from each process, and hands it on.
func each[T any](ctx context.Context, r *run, from <-chan T, take func(T)) error {
	for range r.Processes {
		got, err := fleet.Await(ctx, r.fleet, from)
		if err != nil {
			return err
		}
		if take != nil {
			take(got)
		}
	}
	return nil
}

// write has the writer at work while one process is cut off and heard again, and waits
// for the drain.
func (r *run) write(ctx context.Context, o *outcome, w *writer) error {
	stop := w.start()
	defer stop()
	from, to := r.cut()
	if err := r.fleet.Wait(ctx, from); err != nil {
		return err
	}
	o.cut[0] = time.Duration(fleet.Now() - o.began)
	for _, p := range r.proxies {
		p.Blackhole()
	}
	err := r.fleet.Wait(ctx, to-from)
	for _, p := range r.proxies {
		p.Heal()
	}
	o.cut[1] = time.Duration(fleet.Now() - o.began)
	if err != nil {
		return err
	}
	if err := r.fleet.Wait(ctx, r.writing()-to); err != nil {
		return err
	}
	stop()
	return r.fleet.Wait(ctx, r.drain())
}
