package stampede

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/fleet"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/redis/go-redis/v9"
)

// WorkerCommand is the hidden command that is a process of the scenario.
const WorkerCommand = "stampede-worker"

// order is what a process is told; one of the fields is set.
type order struct {
	Play  *play        `json:",omitempty"`
	Go    bool         `json:",omitempty"` // begin to read
	Stop  bool         `json:",omitempty"` // end, and report
	Reply *fleet.Reply `json:",omitempty"`
}

// play is one way to read.
type play struct {
	Access    server.Access
	Namespace string
	Way       string
	Config    Config
	Process   int
	FillFirst bool // read each key once before all others do
}

// answer is what a process says; one of the fields is set.
type answer struct {
	Ready    bool            `json:",omitempty"`
	Reads    int64           `json:",omitempty"` // so far
	Question *fleet.Question `json:",omitempty"`
	Report   *report         `json:",omitempty"`
}

// report is what a process has seen of one way.
type report struct {
	Waits  []wait
	Hits   []int64 // how long each read took that found a value
	Errors int64
	First  string // error
	Late   int64  // by how much a timer was late at most
}

// wait is a read that found nothing.
type wait struct {
	Begin, Took int64
	Key         uint32
}

// Work is the life of a process.
func Work(in io.Reader, out io.Writer) error {
	server.Silence()
	w := &worker{say: fleet.Voice[answer](out)}
	w.origin = fleet.NewOrigin(func(q fleet.Question) { w.say(answer{Question: &q}) })
	return fleet.Attend(in, func(o order) error {
		switch {
		case o.Reply != nil:
			w.origin.Reply(*o.Reply)
		case o.Play != nil:
			w.play, w.rdb, w.stop = *o.Play, o.Play.Access.Client(nil), make(chan struct{})
			go w.prepare()
		case o.Go:
			go w.read()
		case o.Stop:
			close(w.stop)
		}
		return nil
	})
}

// worker is a process. It does one play after another.
type worker struct {
	say    func(answer)
	origin *fleet.Origin

	play   play
	rdb    redis.UniversalClient
	reader reader
	failed error
	stop   chan struct{}
}

// prepare opens the reader, and fills the cache if it is told to.
func (w *worker) prepare() {
	ctx, p := context.Background(), w.play
	w.reader, w.failed = wayOf(p.Way).open(ctx, setup{w.rdb, p.Namespace, p.Config.TTL, w.origin})
	if w.failed == nil && p.FillFirst {
		for k := range p.Config.Keys {
			if _, w.failed = w.reader.Read(ctx, uint32(k)); w.failed != nil {
				break
			}
		}
	}
	w.say(answer{Ready: true})
}

// read reads until it is told to stop, and reports.
func (w *worker) read() {
	r := &report{}
	defer func() { w.say(answer{Report: r}) }()
	if w.failed != nil {
		r.Errors, r.First = 1, w.failed.Error()
		w.rdb.Close()
		return
	}
	var mu sync.Mutex
	var all, aside sync.WaitGroup
	var reads atomic.Int64
	for g := range w.play.Config.Goroutines {
		all.Go(func() {
			one := w.goroutine(g, &reads)
			mu.Lock()
			defer mu.Unlock()
			r.Waits, r.Hits = append(r.Waits, one.Waits...), append(r.Hits, one.Hits...)
			if r.Errors += one.Errors; r.First == "" {
				r.First = one.First
			}
		})
	}
	over := make(chan struct{})
	aside.Go(func() { r.Late = int64(lateness(over)) })
	aside.Go(func() { fleet.Count(&reads, over, func(n int64) { w.say(answer{Reads: n}) }) })
	all.Wait()
	close(over)
	aside.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.reader.Close(ctx); err != nil && r.First == "" {
		r.Errors, r.First = r.Errors+1, err.Error()
	}
	w.rdb.Close()
}

// goroutine is one that reads. A read that could not begin in time, because the one
// before it took too long, is left out.
func (w *worker) goroutine(g int, reads *atomic.Int64) (r report) {
	c := w.play.Config
	rng := rand.New(rand.NewPCG(c.Seed, uint64(w.play.Process)<<32|uint64(g)))
	period := time.Duration(float64(c.Goroutines*c.Processes) / c.Rate * float64(time.Second))
	next := time.Now().Add(time.Duration(rng.Int64N(int64(period) + 1)))
	warm := fleet.Now() + int64(c.warmUp())
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-w.stop:
			return r
		}
		key, begin := uint32(rng.IntN(c.Keys)), fleet.Now()
		waited, err := w.reader.Read(context.Background(), key)
		took := fleet.Now() - begin
		reads.Add(1)
		switch {
		case err != nil:
			if r.Errors++; r.First == "" {
				r.First = fmt.Sprint(err)
			}
		case waited:
			r.Waits = append(r.Waits, wait{begin, took, key})
		case begin > warm:
			r.Hits = append(r.Hits, took)
		}
		next = next.Add(period/2 + time.Duration(rng.Int64N(int64(period)+1)))
		if now := time.Now(); next.Before(now) {
			next = now
		}
		timer.Reset(time.Until(next))
	}
}

// lateness returns by how much a timer of 5 ms was late at most until over: for how
// long the machine has let nobody run.
func lateness(over <-chan struct{}) (most time.Duration) {
	const period = 5 * time.Millisecond
	timer := time.NewTimer(period)
	defer timer.Stop()
	for begin := time.Now(); ; begin = time.Now() {
		timer.Reset(period)
		select {
		case <-timer.C:
			most = max(most, time.Since(begin)-period)
		case <-over:
			return most
		}
	}
}
