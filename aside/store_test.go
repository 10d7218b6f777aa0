package aside_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }

var (
	minute  = invalidation.Policy{Fresh: time.Minute}
	errDown = fmt.Errorf("%w: it is a test", cache.ErrUnavailable)
	errRow  = fmt.Errorf("no such row")
)

// probe is a store in memory whose verbs are counted, and can be held or made to
// fail: hook is called at each, and its error is that of the verb.
type probe struct {
	*memstore.Store[int, int]
	mu        sync.Mutex
	hook      func(verb string) error
	verbs     []string
	read      []int               // by all GetManys
	slots     []cache.Slot[int]   // of all Reserves
	committed []*cache.Entry[int] // of all Commits
}

func newProbe(hook func(verb string) error) *probe {
	return &probe{Store: memstore.New[int, int](nil, 10_000, nil), hook: hook}
}

func (p *probe) at(verb string) error {
	p.mu.Lock()
	p.verbs = append(p.verbs, verb)
	p.mu.Unlock()
	if p.hook != nil {
		return p.hook(verb)
	}
	return nil
}

// count returns how often verbs were called.
func (p *probe) count(verbs ...string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, v := range p.verbs {
		if slices.Contains(verbs, v) {
			n++
		}
	}
	return n
}

func (p *probe) Get(ctx context.Context, key int) (*cache.Entry[int], error) {
	if err := p.at("Get"); err != nil {
		return nil, err
	}
	return p.Store.Get(ctx, key)
}

func (p *probe) GetMany(ctx context.Context, keys []int) (map[int]*cache.Entry[int], error) {
	if err := p.at("GetMany"); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.read = append(p.read, keys...)
	p.mu.Unlock()
	return p.Store.GetMany(ctx, keys)
}

func (p *probe) Reserve(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[int], error) {
	if err := p.at("Reserve"); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.slots = append(p.slots, slots...)
	p.mu.Unlock()
	f, err := p.Store.Reserve(ctx, slots...)
	return &probeFill{f, p}, err
}

func (p *probe) Invalidate(ctx context.Context, keys ...int) error {
	if err := p.at("Invalidate"); err != nil {
		return err
	}
	return p.Store.Invalidate(ctx, keys...)
}

type probeFill struct {
	cache.Fill[int]
	p *probe
}

func (f *probeFill) Commit(ctx context.Context, entries ...*cache.Entry[int]) ([]cache.Outcome, error) {
	if err := f.p.at("Commit"); err != nil {
		f.Fill.Cancel(ctx)
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	f.p.mu.Lock()
	f.p.committed = append(f.p.committed, entries...)
	f.p.mu.Unlock()
	return f.Fill.Commit(ctx, entries...)
}

func (f *probeFill) Validate(ctx context.Context) ([]bool, error) {
	if err := f.p.at("Validate"); err != nil {
		return nil, err
	}
	valid, err := cache.Validate(ctx, f.Fill)
	f.p.at("Validated")
	return valid, err
}

func (f *probeFill) Cancel(ctx context.Context) error {
	f.p.at("Cancel")
	return f.Fill.Cancel(ctx)
}

// failing returns a hook that makes verbs fail.
func failing(err error, verbs ...string) func(string) error {
	return func(verb string) error {
		if slices.Contains(verbs, verb) {
			return err
		}
		return nil
	}
}

// slow returns a hook that makes verbs take a second.
func slow(verbs ...string) func(string) error {
	return func(verb string) error {
		if slices.Contains(verbs, verb) {
			time.Sleep(time.Second)
		}
		return nil
	}
}

// events keeps what an Observer is told.
type events struct {
	mu   sync.Mutex
	list []cache.Event
}

func (e *events) Observe(ev cache.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.list = append(e.list, ev)
}

func (e *events) of(kind cache.Kind) (list []cache.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.list {
		if ev.Kind == kind {
			list = append(list, ev)
		}
	}
	return list
}

// answer is what a call in the background has returned, if it is done.
type answer[T any] struct {
	got  T
	err  error
	took time.Duration
	end  atomic.Bool
}

func (a *answer[T]) done() bool { return a.end.Load() }

func (a *answer[T]) String() string {
	if !a.done() {
		return "no answer"
	}
	return fmt.Sprintf("%v, %v after %v", a.got, a.err, a.took)
}

// begin makes a call in the background of a bubble and lets it get as far as it
// can without time passing.
func begin[T any](call func() (T, error)) *answer[T] {
	a := &answer[T]{}
	go func() {
		start := time.Now()
		a.got, a.err = call()
		a.took = time.Since(start)
		a.end.Store(true)
	}()
	synctest.Wait()
	return a
}

// same reports whether err is the very error want, not one that wraps it.
func same(err, want error) bool { return err == want }
