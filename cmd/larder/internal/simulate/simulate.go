// Package simulate finds the hit ratios of eviction policies at many capacities, by
// replaying traces on all processors.
package simulate

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/policy"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

// Options say what is simulated.
type Options struct {
	policy.Options
	Capacities []policy.Capacity
}

// Outcome is what was found out about a trace: either Err or all else is set.
type Outcome struct {
	Source
	Format      trace.Format // none of a generated trace
	Compression trace.Compression
	Doubts      []string // what may be wrong with how the trace was read
	Requests    int
	Unique      int
	Reads       int64
	ReadBytes   int64
	Whole       int64 // the capacity that everything would take
	Sizeless    int64 // requests whose size is not known, by bytes
	Policies    []string
	Points      []Point // by rising capacity
	Table       []int64 // the capacities that a table should show
	Options     policy.Options
	Expiry      bool // entries expired
	Writes      bool // there were requests other than reads
	// Err is a *trace.Error if it is the trace that cannot be used.
	Err error

	done chan struct{}
}

// Point is the outcome at one capacity, by policy.
type Point struct {
	Capacity int64
	Hits     []policy.Hits
}

// Done is closed when the outcome is complete.
func (o *Outcome) Done() <-chan struct{} { return o.done }

// Complete reports whether Done is closed.
func (o *Outcome) Complete() bool {
	select {
	case <-o.done:
		return true
	default:
		return false
	}
}

// Simulation is work under way.
type Simulation struct {
	Outcomes []*Outcome // of the sources, in order

	options    Options
	processors chan struct{}
	done       atomic.Int64 // requests, once for each policy and capacity
	planned    atomic.Int64 // of the traces that were read
	unread     atomic.Int64 // traces
}

// Start begins to replay all sources, in order, on all processors. There are no more
// traces in memory at a time than processors. What is not complete when ctx ends has the
// error of ctx.
func Start(ctx context.Context, sources []Source, o Options) *Simulation {
	distinguish(sources)
	processors := runtime.GOMAXPROCS(0)
	s := &Simulation{options: o, processors: make(chan struct{}, processors)}
	s.unread.Store(int64(len(sources)))
	for _, src := range sources {
		s.Outcomes = append(s.Outcomes, &Outcome{Source: src, done: make(chan struct{}), Options: o.Options})
	}
	open := make(chan struct{}, processors)
	go func() {
		for _, f := range s.Outcomes {
			open <- struct{}{}
			go func() {
				f.Err = s.replay(ctx, f)
				close(f.done)
				<-open
			}()
		}
	}()
	return s
}

// Reading says how much was done. Traces that were not read yet are taken for ones like
// the others.
func (s *Simulation) Reading() progress.Reading {
	planned, unread := s.planned.Load(), s.unread.Load()
	if read := int64(len(s.Outcomes)) - unread; read > 0 {
		planned += planned / read * unread
	}
	return progress.Reading{Done: s.done.Load(), Of: planned, HitRatio: -1}
}

// load reads a trace.
func (s *Simulation) load(ctx context.Context, f *Outcome) (*policy.Load, error) {
	s.processors <- struct{}{}
	defer func() { <-s.processors }()
	defer s.unread.Add(-1)
	t, err := f.Open(ctx)
	if err != nil {
		return nil, err
	}
	l, err := policy.NewLoad(t, s.options.Options)
	if bad, ok := errors.AsType[*trace.Error](err); ok {
		bad.File = f.Name
	}
	if err != nil {
		return nil, err
	}
	f.Format, f.Compression, f.Requests, f.Unique = t.Format, t.Compression, len(t.IDs), t.Unique
	f.Reads, f.ReadBytes, f.Whole, f.Sizeless = l.Reads, l.ReadBytes, l.Whole, l.Sizeless
	f.Expiry, f.Writes, f.Doubts = l.Expiry(), t.Ops != nil, t.Doubts
	return l, nil
}

func (s *Simulation) replay(ctx context.Context, f *Outcome) error {
	l, err := s.load(ctx, f)
	if err != nil {
		return err
	}
	var amounts []int64
	amounts, f.Table = l.Amounts(s.options.Capacities)
	kinds := l.Kinds()
	for _, k := range kinds {
		f.Policies = append(f.Policies, k.Name)
	}
	s.planned.Add(int64(f.Requests) * int64(len(amounts)) * int64(len(kinds)))
	var runs sync.WaitGroup
	var failure atomic.Pointer[error]
	f.Points = make([]Point, len(amounts))
	for i, capacity := range amounts {
		hits := make([]policy.Hits, len(kinds))
		f.Points[i] = Point{capacity, hits}
		for k, kind := range kinds {
			runs.Go(func() {
				s.processors <- struct{}{}
				defer func() { <-s.processors }()
				var err error
				if hits[k], err = kind.Run(ctx, l, capacity, &s.done); err != nil {
					failure.CompareAndSwap(nil, &err)
				}
			})
		}
	}
	runs.Wait()
	if err := failure.Load(); err != nil {
		return fmt.Errorf("%s: %w", f.Name, *err)
	}
	return nil
}
