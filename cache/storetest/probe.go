package storetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
)

type (
	entry   = cache.Entry[string]
	fill    = cache.Fill[string]
	outcome = cache.Outcome
)

// probe is a subject under a rule. The first of its calls that goes wrong ends
// the rule.
type probe struct {
	Subject
	ctx context.Context
}

// broken is what a rule panics with.
type broken struct{ error }

func (p *probe) fail(format string, args ...any) {
	panic(broken{fmt.Errorf("%s: %w", caller(), fmt.Errorf(format, args...))})
}

// caller returns the line of the rule that is being checked.
func caller() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		f, more := frames.Next()
		if !strings.Contains(f.Function, ".(*probe).") {
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return "?"
		}
	}
}

// peer returns the probe that works through Peer.
func (p *probe) peer() *probe {
	q := *p
	q.Store = p.Peer
	return &q
}

// an returns an entry that is fresh for an hour.
func an(value string, tags ...string) *entry {
	now := cache.Now()
	return &entry{Value: value, Tags: tags, Fresh: now.Add(time.Hour), Expires: now.Add(2 * time.Hour),
		Cost: 1500 * time.Millisecond}
}

// stale returns an entry that is not fresh any more.
func stale(value string, tags ...string) *entry {
	e := an(value, tags...)
	e.Fresh = cache.Now().Add(-time.Minute)
	return e
}

// slot names a key and the tags known before the load.
func slot(key string, tags ...string) cache.Slot[string] {
	return cache.Slot[string]{Key: key, Tags: tags}
}

// late names a key whose tags are known after the load.
func late(key string) cache.Slot[string] {
	return cache.Slot[string]{Key: key, LateTags: true}
}

func (p *probe) reserve(slots ...cache.Slot[string]) fill {
	f, err := p.Store.Reserve(p.ctx, slots...)
	if err != nil || f == nil {
		p.fail("Reserve is %v, error %v", f, err)
	}
	return f
}

func (p *probe) quarantine(slots ...cache.Slot[string]) fill {
	f, err := p.Store.Quarantine(p.ctx, slots...)
	if err != nil || f == nil {
		p.fail("Quarantine is %v, error %v", f, err)
	}
	return f
}

// commit returns the outcomes of a commit that succeeds.
func (p *probe) commit(f fill, entries ...*entry) []outcome {
	out, err := f.Commit(p.ctx, entries...)
	if err != nil {
		p.fail("Commit: %w", err)
	}
	if len(out) != len(entries) {
		p.fail("Commit of %d entries has %d outcomes", len(entries), len(out))
	}
	return out
}

// ends commits an entry to a fill of one slot, and fails the rule unless the
// outcome is one of want.
func (p *probe) ends(f fill, e *entry, want ...outcome) {
	if out := p.commit(f, e); !slices.Contains(want, out[0]) {
		p.fail("Commit is %v, want %v", out[0], want)
	}
}

func (p *probe) refused(f fill, e *entry) { p.ends(f, e, cache.Refused) }
func (p *probe) stored(f fill, e *entry)  { p.ends(f, e, cache.Stored) }

// keptOut commits an entry that must not be stored, whatever the callers who
// wait may have.
func (p *probe) keptOut(f fill, e *entry) { p.ends(f, e, cache.Refused, cache.Passed) }

func (p *probe) cancel(f fill) {
	if err := f.Cancel(p.ctx); err != nil {
		p.fail("Cancel: %w", err)
	}
}

// store fills key with e, whose tags are known before the load.
func (p *probe) store(key string, e *entry) {
	p.stored(p.reserve(slot(key, e.Tags...)), e)
}

func (p *probe) get(key string) *entry {
	e, err := p.Store.Get(p.ctx, key)
	if err != nil {
		p.fail("Get(%s): %w", short(key), err)
	}
	return e
}

func (p *probe) many(keys ...string) map[string]*entry {
	got, err := p.Store.GetMany(p.ctx, keys)
	if err != nil {
		p.fail("GetMany(%q): %w", keys, err)
	}
	return got
}

// has fails the rule unless key has a value.
func (p *probe) has(key, value string) {
	e := p.get(key)
	if e == nil {
		p.fail("Get(%s) is a miss, want %s", short(key), short(value))
	}
	if e.Value != value {
		p.fail("Get(%s) is %s, want %s", short(key), short(e.Value), short(value))
	}
}

// misses fails the rule unless keys have no value, by Get and by GetMany.
func (p *probe) misses(keys ...string) {
	for _, k := range keys {
		if e := p.get(k); e != nil {
			p.fail("Get(%s) is %s, want a miss", short(k), short(e.Value))
		}
	}
	for k, e := range p.many(keys...) {
		p.fail("GetMany has %s: %s, want a miss", short(k), shown(e))
	}
}

func (p *probe) invalidate(keys ...string) {
	if err := p.Store.Invalidate(p.ctx, keys...); err != nil {
		p.fail("Invalidate(%q): %w", keys, err)
	}
}

func (p *probe) invalidateTags(tags ...string) {
	if err := p.InvalidateTags(p.ctx, tags...); err != nil {
		p.fail("InvalidateTags(%q): %w", tags, err)
	}
}

func (p *probe) lose() {
	if err := p.Lose(p.ctx); err != nil {
		p.fail("Lose: %w", err)
	}
}

// is fails the rule unless err is target.
func (p *probe) is(call string, err, target error) {
	if !errors.Is(err, target) {
		p.fail("%s: error is %v, want %v", call, err, target)
	}
}

// inTime is for what depends on a timer of the store, such as one that spares its hits a look
// at the clock: f may fail if timers of this process were late meanwhile, which a machine is
// that has far too much to do. Then it is called again, four times at most.
func (p *probe) inTime(f func()) {
	for n := 0; ; n++ {
		lateness := watchTimers()
		failed := failureOf(f)
		if late := lateness(); failed == nil {
			return
		} else if late < 20*time.Millisecond || n == 4 {
			panic(*failed)
		}
	}
}

// watchTimers returns a function that ends the watch and returns by how much timers were late
// at most.
func watchTimers() (lateness func() time.Duration) {
	const period = 5 * time.Millisecond
	end, most := make(chan struct{}), make(chan time.Duration)
	go func() {
		var late time.Duration
		for {
			began := time.Now()
			timer := time.NewTimer(period)
			select {
			case <-timer.C:
				late = max(late, time.Since(began)-period)
			case <-end:
				timer.Stop()
				most <- max(late, time.Since(began)-period)
				return
			}
		}
	}()
	return func() time.Duration {
		close(end)
		return <-most
	}
}

// failureOf returns how f fails the rule, or nil.
func failureOf(f func()) (failed *broken) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case broken:
			failed = &r
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// until asks every few milliseconds until done, or fails the rule after a while.
func (p *probe) until(what string, done func() bool) {
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			p.fail("%s, even after 20s", what)
		case <-p.ctx.Done():
			p.fail("%s: %w", what, p.ctx.Err())
		}
	}
}

// short quotes s, or says how long it is.
func short(s string) string {
	if len(s) > 60 {
		return fmt.Sprintf("%q... (%d bytes)", s[:20], len(s))
	}
	return fmt.Sprintf("%q", s)
}

func shown(e *entry) string {
	if e == nil {
		return "nil"
	}
	return short(e.Value)
}
