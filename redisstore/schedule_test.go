package redisstore

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// Schedules: a few processes read, fill, write and invalidate the same rows, and
// a seed chooses which of them sends its next command, which command is repeated
// later as after a lost reply, and which keys Redis loses. Nothing else runs
// meanwhile, so a seed always gives the same run. Each command of a pipeline is
// a step of its own, and so is each time that a fill waits for another. Time passes
// by steps, and now and then by as much as locks live. LARDER_SCHEDULES sets how many there are, LARDER_SEED the
// first of them.

const (
	scheduleActors = 4
	scheduleOps    = 5
	scheduleRows   = 2
)

// schedule is one run.
type schedule struct {
	t       *testing.T
	r       *rand.Rand
	name    string
	server  *miniredis.Miniredis
	now     time.Time
	actors  []*actor
	waiting chan *actor // have a step to make, or are done
	repeat  []func()    // commands that are sent once more
	rows    [scheduleRows]struct{ version, floor int64 }
	trace   []string
	stale   []string
	counts  map[string]int
	lossy   bool // Redis loses keys
	over    bool
}

// actor is a process of the run.
type actor struct {
	n        int
	r        *rand.Rand
	space    *Space
	store    *Store[int, int64]
	go1      chan struct{}
	next     string // the step it is about to make
	done     bool
	priority int
}

func (s *schedule) note(format string, args ...any) {
	s.trace = append(s.trace, fmt.Sprintf(format, args...))
}

// step waits until it is this actor's turn.
func (s *schedule) step(a *actor, what string) {
	a.next = what
	s.waiting <- a
	<-a.go1
}

// gate is a hook that makes a step of every command.
type gate struct {
	s *schedule
	a *actor
}

// within marks what a command needs itself, such as a new connection.
type within struct{}

func (g gate) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g gate) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return g.one(ctx, cmd, next) }
}

func (g gate) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	one := func(ctx context.Context, cmd redis.Cmder) error { return next(ctx, []redis.Cmder{cmd}) }
	return func(ctx context.Context, cmds []redis.Cmder) (first error) {
		for _, i := range g.s.r.Perm(len(cmds)) { // to several servers, they go in any order
			if err := g.one(ctx, cmds[i], one); err != nil && first == nil {
				first = err
			}
		}
		return first
	}
}

func (g gate) one(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
	if g.s.over || ctx.Value(within{}) != nil {
		return next(ctx, cmd)
	}
	ctx = context.WithValue(ctx, within{}, true)
	g.s.step(g.a, g.s.describe(cmd))
	if g.s.r.IntN(8) == 0 {
		again := redis.NewCmd(context.Background(), cmd.Args()...)
		what := fmt.Sprintf("%d repeats %s", g.a.n, g.a.next)
		g.s.repeat = append(g.s.repeat, func() {
			g.s.note("%s", what)
			next(context.WithValue(context.Background(), within{}, true), again)
		})
	}
	return next(ctx, cmd)
}

// describe names a command without what is drawn by the program itself.
func (s *schedule) describe(cmd redis.Cmder) string {
	args := cmd.Args()
	if cmd.Name() != "evalsha" && cmd.Name() != "eval" {
		var text []string
		for _, a := range args {
			if p, ok := a.(*string); ok {
				a = *p
			}
			text = append(text, fmt.Sprint(a))
		}
		return strings.Join(text, " ")
	}
	sum := fnv.New32a()
	sum.Write([]byte(fmt.Sprint(args[1])))
	n, _ := args[2].(int)
	return fmt.Sprintf("%s %x %v", cmd.Name(), sum.Sum32(), args[3:3+n])
}

// run makes the run of a seed.
func runSchedule(t *testing.T, seed uint64) *schedule {
	s := &schedule{t: t, r: rand.New(rand.NewPCG(seed, 0)), server: miniredis.RunT(t), name: "run",
		waiting: make(chan *actor), counts: map[string]int{}, now: time.Now()}
	defer s.server.Close()
	s.lossy = s.r.IntN(2) == 0
	rdb := redis.NewClient(&redis.Options{Addr: s.server.Addr()})
	defer rdb.Close()
	for n := range scheduleActors {
		space, err := Open(t.Context(), rdb, s.name, &Options{NoBus: true, Timeout: time.Minute})
		must(t, err)
		defer space.Close(context.Background())
		must(t, space.Client().Ping(t.Context()).Err()) // connects, which is no part of the run
		_, err = space.ahead(t.Context(), 0)            // nor is asking for the time, if the connection has not
		must(t, err)
		a := &actor{n: n, r: rand.New(rand.NewPCG(seed, uint64(n)+1)), space: space,
			store: New[int, int64](space, "rows", nil), go1: make(chan struct{}), priority: s.r.Int()}
		space.Client().AddHook(gate{s, a})
		space.errands.ended = true // wakes, which nobody would hear
		space.later = never        // the run renews locks when it is their turn
		space.clock = clock{func() time.Time { return s.now }, func(context.Context, <-chan struct{}, <-chan struct{}, time.Duration) error {
			s.counts["waited"]++
			a.priority = -s.r.Int() // after all others
			s.step(a, "waits")
			s.pass(defaultLockWait / 4)
			return nil
		}}
		s.actors = append(s.actors, a)
		go s.live(a)
		<-s.waiting
	}
	defer func() { s.over = true }()
	for s.turn(rdb) {
	}
	return s
}

func (s *schedule) pass(d time.Duration) {
	s.now = s.now.Add(d)
	s.server.SetTime(s.now)
}

// turn lets something happen, and reports whether something was left to do.
func (s *schedule) turn(rdb *redis.Client) bool {
	s.pass(time.Millisecond)
	switch n := s.r.IntN(60); {
	case n < 12 && len(s.repeat) > 0:
		i := s.r.IntN(len(s.repeat))
		again := s.repeat[i]
		s.repeat = slices.Delete(s.repeat, i, i+1)
		again()
		s.counts["repeated"]++
		return true
	case n == 12 && s.lossy:
		if keys := s.server.Keys(); len(keys) > 0 {
			k := keys[s.r.IntN(len(keys))]
			s.note("Redis loses %s", k)
			s.server.Del(k)
			s.counts["lost"]++
		}
	case n == 13:
		s.note("Redis forgets its scripts")
		rdb.ScriptFlush(s.t.Context())
		s.counts["scripts flushed"]++
	case n == 14:
		s.note("locks expire")
		s.pass(defaultLockWait)
		s.counts["locks expired"]++
	}
	var first *actor
	for _, a := range s.actors {
		if !a.done && (first == nil || a.priority > first.priority) {
			first = a
		}
	}
	if first == nil {
		return false
	}
	if s.r.IntN(6) == 0 {
		first.priority = -s.r.Int() // after all others
	}
	s.note("%d %s", first.n, first.next)
	s.counts["steps"]++
	first.go1 <- struct{}{}
	<-s.waiting
	return true
}

// live is what an actor does.
func (s *schedule) live(a *actor) {
	s.step(a, "starts")
	for range scheduleOps {
		k := a.r.IntN(scheduleRows)
		switch a.r.IntN(8) {
		case 0:
			s.change(a, "invalidates the key", k, func() error { return a.store.Invalidate(s.t.Context(), k) })
		case 1:
			s.change(a, "invalidates the tag", k, func() error { return a.space.InvalidateTags(s.t.Context(), group(k)) })
		case 2, 3:
			s.write(a, k)
		default:
			s.read(a, k)
		}
	}
	a.done = true
	s.waiting <- a
}

func (s *schedule) change(a *actor, what string, k int, invalidate func() error) {
	s.step(a, fmt.Sprintf("commits row %d", k))
	s.rows[k].version++
	v := s.rows[k].version
	s.step(a, what)
	if s.ok(a, invalidate()) {
		s.rows[k].floor = max(s.rows[k].floor, v)
		s.counts["invalidations"]++
	}
}

// write changes a row under a quarantine. Unless Redis has lost that, whoever
// begins to read after the commit reads the new value.
func (s *schedule) write(a *actor, k int) {
	f, err := a.store.Quarantine(s.t.Context(), cache.Slot[int]{Key: k, Tags: []string{group(k)}})
	if !s.ok(a, err) {
		return
	}
	s.step(a, fmt.Sprintf("commits row %d", k))
	s.rows[k].version++
	v := s.rows[k].version
	if !s.lossy {
		s.rows[k].floor = v
	}
	out, err := f.Commit(s.t.Context(), anEntry(v, group(k)))
	if s.ok(a, err) {
		s.rows[k].floor = max(s.rows[k].floor, v)
		s.counts["written, "+out[0].String()]++
	}
}

func (s *schedule) read(a *actor, k int) {
	floor := s.rows[k].floor
	check := func(how string, v int64) {
		s.note("%d has %s %d of row %d", a.n, how, v, k)
		if v < floor {
			s.stale = append(s.stale, fmt.Sprintf("%d has %s version %d of row %d, but %d was invalidated before", a.n, how, v, k, floor))
		}
	}
	e, err := a.store.Get(s.t.Context(), k)
	if !s.ok(a, err) {
		return
	}
	if e != nil {
		s.counts["hits"]++
		check("read", e.Value)
		return
	}
	slot := cache.Slot[int]{Key: k, LateTags: true}
	if a.n%2 == 0 {
		slot = cache.Slot[int]{Key: k, Tags: []string{group(k)}}
	}
	before := s.counts["waited"]
	f, err := a.store.Reserve(s.t.Context(), slot)
	if !s.ok(a, err) {
		return
	}
	if e := f.Found(0); e != nil {
		check("found", e.Value)
		if s.counts["waited"] > before {
			s.counts["waited for"]++
		}
	}
	if a.r.IntN(6) == 0 { // the load fails, or the process dies in it
		if a.r.IntN(2) == 0 {
			s.ok(a, f.Cancel(s.t.Context()))
		}
		return
	}
	s.step(a, fmt.Sprintf("loads row %d", k))
	v := s.rows[k].version
	if r := f.(*fill[int, int64]).renewal; r != nil && a.r.IntN(2) == 0 {
		r.renew()
		s.counts["locks renewed"]++
	}
	s.step(a, "has loaded")
	out, err := f.Commit(s.t.Context(), anEntry(v, group(k)))
	if s.ok(a, err) {
		s.counts["loaded, "+out[0].String()]++
	}
}

func (s *schedule) ok(a *actor, err error) bool {
	if err != nil {
		s.t.Errorf("%d: %v", a.n, err)
	}
	return err == nil
}

func schedules(t *testing.T) int {
	if text := os.Getenv("LARDER_SCHEDULES"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("LARDER_SCHEDULES is %q: a number is needed", text)
		}
		return n
	}
	return 200
}

func TestNoScheduleReadsWhatWasInvalidated(t *testing.T) {
	first, n := chaosSeed(t), schedules(t)
	counts := map[string]int{}
	for i := range n {
		s := runSchedule(t, first+uint64(i))
		for what, n := range s.counts {
			counts[what] += n
		}
		if s.stale != nil {
			t.Fatalf("LARDER_SEED=%d: %v\n%s", first+uint64(i), s.stale, strings.Join(s.trace, "\n"))
		}
	}
	t.Logf("%d schedules from LARDER_SEED=%d: %v", n, first, counts)
	for _, what := range []string{"hits", "loaded, stored", "loaded, refused", "written, stored", "written, refused", "invalidations", "repeated", "lost", "waited", "waited for", "locks expired", "locks renewed"} {
		if counts[what] == 0 {
			t.Errorf("nothing was %s: the test proves less than it should", what)
		}
	}
}

func TestASeedAlwaysGivesTheSameSchedule(t *testing.T) {
	for seed := range uint64(20) {
		a, b := runSchedule(t, seed), runSchedule(t, seed)
		if !slices.Equal(a.trace, b.trace) {
			t.Fatalf("seed %d:\n%s\n\nand then\n%s", seed, strings.Join(a.trace, "\n"), strings.Join(b.trace, "\n"))
		}
	}
}
