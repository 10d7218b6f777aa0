// Package verify attacks the guarantees of Larder: several processes use it on
// real servers while things go wrong, and what they have seen is checked.
//
// A run consists of rounds. A round has servers of its own, or a prefix of its own
// on a server that is there, and a seed, from which its faults are chosen. The
// processes write versions of rows into memory that they share, which is the
// origin, and read them through the library. Every operation is noted with the
// times of its call and return on one clock.
package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/history"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/redisproc"
)

// Config says what to verify.
type Config struct {
	// Spawn are the topologies of servers that are started, one a round, in turns.
	Spawn []string
	// Remote is a server that is there, used in place of them.
	Remote *server.Server
	// Time is how long to go on. A round that was begun is ended.
	Time time.Duration
	// Rounds ends it earlier; 0 does not.
	Rounds int
	// Round is the time of a round.
	Round     time.Duration
	Processes int
	// Seed is that of the first round; each has the next one.
	Seed  uint64
	Lease time.Duration
	// Out is a directory for what shows violations.
	Out string
	// Verbose prints the faults as they are chosen.
	Verbose bool

	mistake string
}

// breachEvery says that with a seed divisible by it a single server may also come
// back with old data: then linearizability is not promised, and not checked.
const breachEvery = 4

// Run makes rounds until the time is over or ctx ends, prints a line for each,
// and returns what was found. With an error it returns what it has.
func Run(ctx context.Context, c Config, w io.Writer) (*Scores, error) {
	b := newScores(c)
	if !supported {
		return b, errors.New("verify needs memory that processes share, and signals that stop them: Linux or macOS")
	}
	server.Silence() // that servers die is no news
	if err := c.sweep(ctx, func(prefix string) error {
		began := time.Now()
		for i := 0; ctx.Err() == nil && (i == 0 || time.Since(began) < c.Time) && (c.Rounds == 0 || i < c.Rounds); i++ {
			t := topology("")
			if c.Remote == nil {
				t = topology(c.Spawn[i%len(c.Spawn)])
			}
			seed := c.Seed + uint64(i)
			r := round{Config: c, seed: seed, topology: t, space: fmt.Sprintf("%s-%d", prefix, i), breach: t == single && seed%breachEvery == 0}
			if err := r.run(ctx, w); err != nil {
				return fmt.Errorf("seed %d: %w", r.seed, err)
			}
			r.line(w)
			b.add(&r)
		}
		return ctx.Err()
	}); err != nil {
		return b, err
	}
	return b, nil
}

// sweep calls f with a prefix that nobody else has, and removes the keys with it
// from a server that remains.
func (c Config) sweep(ctx context.Context, f func(prefix string) error) error {
	prefix := server.RunPrefix("larderverify")
	err := f(prefix)
	if c.Remote != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, err1 := c.Remote.Sweep(ctx, prefix)
		err = errors.Join(err, err1)
	}
	return err
}

// round is one round and what came of it.
type round struct {
	Config
	seed     uint64
	topology topology
	space    string
	breach   bool

	info     string
	took     time.Duration
	rules    map[string]*Rule
	modes    [modes]tally
	faults   map[string]int
	failed   []string // faults that could not be made
	full     bool
	foreign  int64
	deaths   int
	dying    string
	resumed  time.Duration // -1: never
	without  []int         // processes without a hit of memory since then
	roles    string        // of the servers then
	states   string        // of the processes then
	checking time.Duration
}

// tally are the sums of the counts of all processes.
type tally struct{ hits, loads, failed int64 }

func (r *round) run(ctx context.Context, w io.Writer) (err error) {
	began := time.Now()
	dir, err := os.MkdirTemp("", "larder-verify-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s, err := r.site(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.lay(r.Processes); err != nil {
		return err
	}
	r.topology, r.info = s.topology, s.info
	boardFile := filepath.Join(dir, "board")
	if err := create[board](boardFile); err != nil {
		return err
	}
	b, done, err := share[board](boardFile)
	if err != nil {
		return err
	}
	defer done()

	crew := newCrew(dir, r.orders(s, boardFile))
	defer crew.release()
	defer crew.end()
	defer b.stop.Store(1)
	for i := range r.Processes {
		if err := crew.start(i); err != nil {
			return err
		}
	}
	if err := crew.ready(ctx); err != nil {
		return err
	}
	f := &field{site: s, space: r.space, crew: crew, done: map[string]int{}}
	steps := plan(r.seed, s, r.Processes, r.Round, r.breach)
	if r.Verbose {
		for _, of := range steps {
			for _, st := range of {
				fmt.Fprintln(w, "  ", st)
			}
		}
	}
	within, cancel := context.WithTimeout(ctx, r.Round)
	defer cancel()
	f.run(within, steps)
	<-within.Done()
	b.ease.Store(1)
	for i := 0; i < attempts && ctx.Err() == nil; i++ {
		if err := f.well(); err != nil {
			return fmt.Errorf("the servers are not well %v after the last fault: %w", recovery, err)
		}
		if r.resume(crew); r.resumed >= 0 {
			break
		}
	}
	if r.resumed < 0 {
		r.roles = f.roles()
	}
	b.stop.Store(1)
	crew.end()
	r.states = crew.said()
	r.collect(f, crew)
	if ctx.Err() != nil {
		return nil // what there is counts
	}
	err = r.judge(b, crew, f.breaches())
	r.took = time.Since(began)
	return err
}

// limited reports whether a process has not the right to call what is dangerous: in a
// third of the rounds all have not, in another third only some.
func (r *round) limited(process int) bool {
	if r.Remote != nil || r.topology != single && r.topology != address {
		return false
	}
	return r.seed%3 == 2 || r.seed%3 == 1 && process%3 == 1
}

func (r *round) site(ctx context.Context) (*site, error) {
	if r.Remote != nil {
		return visit(ctx, r.Remote)
	}
	return spawn(ctx, r.topology)
}

// orders returns what each process is to do.
func (r *round) orders(s *site, board string) []orders {
	all := make([]orders, r.Processes)
	for i := range all {
		all[i] = orders{Board: board, Access: s.access, Via: s.via(i), Space: r.space, Lease: r.Lease,
			Seed: r.seed, Strict: !r.breach, Writer: i == 0, Mistake: r.mistake}
		if s.own { // as many as can be promoted, so that none lacks an invalidation
			all[i].Replicas = map[topology]int{cluster: 1, sentinel: 2}[s.topology]
		}
		if r.limited(i) {
			all[i].Access = s.access.asLimited()
		}
	}
	return all
}

// resumeTime is how long memory may take to serve again. Sentinels need some
// seconds to make a master that has come back a replica.
const resumeTime = 30 * time.Second

// attempts is how often memory may fail to serve again: sentinels on a busy machine
// may replace a master that nobody has touched, and then nothing can be
// invalidated for some seconds more.
const attempts = 2

// resume waits, now that all faults are over, until memory serves in all processes
// again.
func (r *round) resume(c *crew) {
	began, before := time.Now(), c.hits()
	ctx, cancel := context.WithTimeout(context.Background(), resumeTime)
	defer cancel()
	err := redisproc.Until(ctx, func() error {
		r.without = nil
		for i, n := range c.hits() {
			if n == before[i] {
				r.without = append(r.without, i)
			}
		}
		if r.without != nil {
			return errors.New("not yet")
		}
		return nil
	})
	if r.resumed = time.Since(began); err != nil {
		r.resumed = -1
	}
}

// collect adds up what happened.
func (r *round) collect(f *field, c *crew) {
	r.faults, r.failed = f.done, f.failed
	for _, ways := range f.site.proxies {
		for _, p := range ways {
			n := p.Counts()
			f.done["  replies cut"] += int(n.Cut)
			f.done["  requests late "] += int(n.Late)
			f.done["  requests twice"] += int(n.Repeated)
		}
	}
	r.deaths, r.dying = c.deaths, c.last
	for _, j := range c.journals {
		r.full = r.full || j.n.Load() >= journalLen
		r.foreign += j.foreign.Load()
		f.done["  commits late"] += int(j.late.Load())
		for m := range r.modes {
			t := &r.modes[m]
			t.hits += j.counts[m].hits.Load()
			t.loads += j.counts[m].loads.Load()
			t.failed += j.counts[m].failed.Load()
		}
	}
}

func (r *round) judge(b *board, c *crew, windows []window) error {
	began := time.Now()
	var ops []history.Op
	for i, j := range c.journals {
		ops = append(ops, j.ops(i)...)
	}
	ops = slices.Concat(ops, b.missing(ops))
	r.rules = judge(ops, r.Lease, breaches{windows, c.killed}, len(c.journals))
	r.rules[ruleLives] = lives(c.journals)
	var err error
	if !r.breach {
		err = r.rules[ruleStrict].order(ops, r.Out, r.seed)
	}
	r.checking = time.Since(began)
	return err
}

// violations returns what is not as promised, one line each.
func (r *round) violations() (out []string) {
	for _, name := range ruleNames {
		if rule := r.rules[name]; rule != nil && rule.Stale+rule.Rejected > 0 {
			out = append(out, fmt.Sprintf("%s: %d stale reads, %d keys without an order; the first: %s", name, rule.Stale, rule.Rejected, rule.first))
		}
	}
	if r.foreign > 0 {
		out = append(out, fmt.Sprintf("%d reads gave the value of another row", r.foreign))
	}
	if r.deaths > 0 {
		out = append(out, fmt.Sprintf("%d processes died that nobody had killed: %s", r.deaths, r.dying))
	}
	if r.resumed < 0 {
		out = append(out, fmt.Sprintf("memory does not serve again in the processes %v though all faults are over; servers: ", r.without)+r.roles+"\n"+r.states)
	}
	return out
}
