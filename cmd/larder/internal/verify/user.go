package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/larder-cache/larder/writethrough"
)

// row is a value: which row it is, in which version, and some ballast.
type row struct {
	Row     int
	Version int64
	Loaded  int64 // on the clock of the machine
	Ballast string
}

const (
	ballast = 1500 // bytes, at most
	// callTime bounds an operation: reads of linearizable Loaders wait while
	// somebody writes, and a writer that was killed holds a key for a minute.
	callTime = time.Second
	// share of operations that write, in percent.
	writes = 8
	// readMostlyWrites is the same of the one who writes rows of readMostly, in a thousand.
	readMostlyWrites = 20
)

var ballasts = strings.Repeat("ballast ", ballast/8+1)

// user uses the library in all modes.
type user struct {
	b       *board
	j       *journal
	mistake string
	writer  bool // of rows of readMostly
	ways    [modes]way
	last    [modes]atomic.Pointer[trouble]
}

// way is one mode.
type way struct {
	mode    mode
	space   *redisstore.Space
	store   cache.Cache[int, row]
	get     func(context.Context, int) (row, error)
	getMany func(context.Context, []int) (map[int]row, error)
	target  func(...int) invalidation.Target
	save    func(context.Context, row) (row, error)
}

// newUser returns a user of a space, but for those modes that have their own.
func newUser(o *orders, b *board, j *journal, space *redisstore.Space, own [modes]*redisstore.Space) *user {
	u := &user{b: b, j: j, mistake: o.Mistake, writer: o.Writer}
	for m := range modes {
		policy := invalidation.Policy{Fresh: 2 * time.Second, Stale: time.Second, Jitter: 0.5}
		switch m {
		case missing:
			policy.Backoff = missingBackoff
		case readMostly:
			policy.Fresh = time.Minute
		case lasting:
			policy.Fresh, policy.Stale = freshTime, staleTime
		}
		w := &u.ways[m]
		w.mode, w.space = m, space
		if own[m] != nil {
			w.space = own[m]
		}
		seen := seenIn{&j.counts[m], &u.last[m]}
		shared := redisstore.New(w.space, "rows"+strconv.Itoa(int(m)), &redisstore.StoreOptions[int, row]{Observer: seen})
		w.store = shared
		if m == memory || m == coherent || m == lasting {
			w.store = cache.Tiered(memstore.New(w.space.Domain, rowsOfMode-2, &memstore.Options[int, row]{Observer: seen}), w.store)
		}
		options := &aside.Options[int, row]{
			Observer: seen, Linearizable: m == strict, LoadTimeout: callTime,
			KeyTags: func(int) []string { return []string{allTag(m)} },
			Tags:    func(k int, _ row) []string { return []string{groupTag(k)} },
		}
		loader := aside.New(w.store, u.load, policy, options)
		w.get, w.target = loader.Get, loader.Key
		if m == missing {
			w.get = u.ofMissing(w.store, policy, options)
		}
		if m == plain || m == memory {
			w.getMany = aside.NewBatch(w.store, u.loadMany, policy, options).GetMany
		}
		w.save = writethrough.New(w.store, func(r row) int { return r.Row }, u.write, policy, &writethrough.Options[int, row]{
			WriteTimeout: callTime,
			Tags:         func(k int, _ row) []string { return []string{groupTag(k), allTag(m)} },
		}).Write
	}
	return u
}

func groupTag(k int) string { return "group:" + strconv.Itoa(int(modeOf(k))*groups+k%groups) }

func allTag(m mode) string { return "all:" + strconv.Itoa(int(m)) }

// seenIn counts for the journal.
type seenIn struct {
	c    *counts
	last *atomic.Pointer[trouble]
}

// trouble is the last thing that went wrong with a store.
type trouble struct {
	at  time.Time
	err error
}

// report says how the spaces stand, for the case that memory does not serve.
func (u *user) report(w io.Writer) {
	for m := range modes {
		fmt.Fprintf(w, "mode %d: %+v, breakers %v", m, u.ways[m].space.Status(), u.ways[m].space.Stats().OpenBreakers)
		if t := u.last[m].Load(); t != nil {
			fmt.Fprintf(w, "; %v ago: %v", time.Since(t.at).Round(time.Millisecond), t.err)
		}
		fmt.Fprintln(w)
	}
}

func (s seenIn) Observe(e cache.Event) {
	if e.Err != nil {
		s.last.Store(&trouble{time.Now(), e.Err})
	}
	switch e.Kind {
	case cache.Hit:
		s.c.hits.Add(int64(e.N))
	case cache.Load:
		s.c.loads.Add(int64(e.N))
	}
}

// load reads the origin, which takes a while.
func (u *user) load(_ context.Context, k int) (row, error) {
	dawdle()
	if modeOf(k) == missing {
		defer time.Sleep(rand.N(2 * time.Millisecond)) // so that others write, and come, during a load that fails
	}
	r := row{Row: k, Version: u.b.version[k].Load(), Ballast: ballasts[:rand.IntN(ballast)]}
	dawdle()
	r.Loaded = clock()
	if modeOf(k) == missing && r.Version%missingEvery != 0 {
		return row{}, noRow{k, r.Version}
	}
	return r, nil
}

func (u *user) loadMany(ctx context.Context, keys []int) (map[int]row, error) {
	out := map[int]row{}
	for _, k := range keys {
		out[k], _ = u.load(ctx, k)
	}
	return out, nil
}

// dawdle takes mostly a moment and at times a millisecond, so that others come in
// between.
func dawdle() {
	if rand.IntN(20) == 0 {
		time.Sleep(rand.N(2 * time.Millisecond))
		return
	}
	for range rand.IntN(4) {
		runtime.Gosched()
	}
}

// rest is after something has failed. The machine has other things to do than to
// make connections as fast as it can.
func rest() { time.Sleep(5*time.Millisecond + rand.N(20*time.Millisecond)) }

// write commits a new version of a row.
func (u *user) write(ctx context.Context, r row) (row, error) {
	dawdle()
	r.Version = u.b.version[r.Row].Add(1)
	if rec, ok := ctx.Value(recordOf{}).(*record); ok {
		rec.version = r.Version
	}
	dawdle()
	r.Loaded = clock()
	return r, nil
}

// recordOf is the key of the record of a write in its context.
type recordOf struct{}

// one does one operation. It returns false when the journal is full.
func (u *user) one(ctx context.Context, w *way, r *rand.Rand) bool {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if u.b.ease.Load() != 0 { // a service waits for its database while Redis is not used; here nothing would leave a moment to anybody
		time.Sleep(rand.N(4 * time.Millisecond))
	}
	k := int(w.mode)*rowsOfMode + r.IntN(rowsOfMode)
	switch {
	case w.mode == lasting:
		time.Sleep(time.Millisecond + rand.N(4*time.Millisecond))
	case w.mode == readMostly:
		time.Sleep(rand.N(time.Millisecond))
		if u.writer && r.IntN(1000) < readMostlyWrites {
			return u.change(ctx, w, k, r)
		}
	case r.IntN(100) < writes:
		return u.change(ctx, w, k, r)
	case w.getMany != nil && r.IntN(4) == 0:
		return u.readMany(ctx, w, k, r)
	}
	rec := u.j.begin(k, false)
	if rec == nil {
		return false
	}
	v, err := w.get(ctx, k)
	u.read(w, rec, k, v, err)
	return true
}

// read notes what a read has given.
func (u *user) read(w *way, rec *record, k int, v row, err error) {
	var none noRow
	if errors.As(err, &none) {
		v, err = row{Row: none.row, Version: none.version}, nil
	}
	switch {
	case err != nil:
		u.j.counts[w.mode].failed.Add(1)
		rest()
	case v.Row != k:
		u.j.foreign.Add(1)
	default:
		rec.version = v.Version
		if w.mode == lasting {
			u.j.ages.read(time.Duration(rec.call - v.Loaded))
		}
		rec.end()
	}
}

// readMany reads some rows of a mode at once.
func (u *user) readMany(ctx context.Context, w *way, first int, r *rand.Rand) bool {
	keys, recs := []int{}, []*record{}
	base := int(w.mode) * rowsOfMode
	for i := range 2 + r.IntN(4) {
		k := base + (first-base+i)%rowsOfMode
		rec := u.j.begin(k, false)
		if rec == nil {
			return false
		}
		keys, recs = append(keys, k), append(recs, rec)
	}
	out, err := w.getMany(ctx, keys)
	for i, k := range keys {
		v, ok := out[k]
		if !ok && err == nil {
			err = errors.New("a row is missing")
		}
		u.read(w, recs[i], k, v, err)
	}
	return true
}

// change writes a row, or all of a group, in one of the ways there are.
func (u *user) change(ctx context.Context, w *way, k int, r *rand.Rand) bool {
	rows := []int{k}
	kind := r.IntN(6)
	if w.mode == readMostly {
		kind = 2 + r.IntN(3) // nothing that keeps rows from being hits
	}
	if kind == 5 {
		return u.late(ctx, w, k, r)
	}
	if kind == 0 || kind == 1 {
		rows = nil
		for i := range rowsOfMode {
			if n := int(w.mode)*rowsOfMode + i; groupTag(n) == groupTag(k) {
				rows = append(rows, n)
			}
		}
	}
	var recs []*record
	for _, n := range rows {
		rec := u.j.begin(n, true)
		if rec == nil {
			return false
		}
		recs = append(recs, rec)
	}
	commit := func(context.Context) error {
		for i, n := range rows {
			u.write(context.WithValue(ctx, recordOf{}, recs[i]), row{Row: n})
		}
		return nil
	}
	var err error
	switch kind {
	case 0:
		err = u.then(ctx, commit, func() error { return w.space.InvalidateTags(ctx, groupTag(k)) })
	case 1:
		err = w.space.Mutate(ctx, []invalidation.Target{invalidation.Tag(groupTag(k))}, commit)
	case 2:
		err = w.space.Mutate(ctx, []invalidation.Target{w.target(k)}, commit)
	case 3:
		_, err = w.save(context.WithValue(ctx, recordOf{}, recs[0]), row{Row: k, Ballast: ballasts[:rand.IntN(ballast)]})
	default:
		err = u.then(ctx, commit, func() error { return w.store.Invalidate(ctx, k) })
	}
	if err != nil {
		u.j.counts[w.mode].failed.Add(int64(len(rows)))
		rest()
		return true
	}
	for _, rec := range recs {
		rec.end()
	}
	return true
}

// invalidateFirst is the mistake to invalidate before the commit.
const invalidateFirst = "invalidate first"

// then does the commit and the invalidation in their order.
func (u *user) then(ctx context.Context, commit func(context.Context) error, invalidate func() error) error {
	if u.mistake == invalidateFirst {
		err := invalidate()
		time.Sleep(rand.N(10 * time.Millisecond)) // a COMMIT takes its time
		commit(ctx)
		return err
	}
	commit(ctx)
	return invalidate()
}
