package writethrough_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	minute  = invalidation.Policy{Fresh: time.Minute}
	errDown = fmt.Errorf("%w: it is a test", cache.ErrUnavailable)
	errNo   = errors.New("the origin says no")
)

type row struct{ id, version int }

func (r row) key() int { return r.id }

// probe is a store in memory that notes what it is asked, together with what
// others note, and fails when hook says so. It is used by one writer at a time.
type probe struct {
	*memstore.Store[int, row]
	mu      sync.Mutex // of log
	log     []string
	slots   []cache.Slot[int]
	entries []*cache.Entry[row]
	fails   []string
}

func newProbe(fails ...string) *probe {
	return &probe{Store: memstore.New[int, row](nil, 100, nil), fails: fails}
}

func (p *probe) at(ctx context.Context, verb string, args ...any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.log = append(p.log, fmt.Sprint(append([]any{verb}, args...)...))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if slices.Contains(p.fails, verb) {
		return errDown
	}
	return nil
}

func (p *probe) Quarantine(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[row], error) {
	if err := p.at(ctx, "quarantine"); err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.slots = append(p.slots, slots...)
	p.mu.Unlock()
	f, err := p.Store.Quarantine(ctx, slots...)
	return &probeFill{f, p}, err
}

func (p *probe) Invalidate(ctx context.Context, keys ...int) error {
	if err := p.at(ctx, "invalidate", keys); err != nil {
		return err
	}
	return p.Store.Invalidate(ctx, keys...)
}

func (p *probe) InvalidateTags(ctx context.Context, tags ...string) error {
	if err := p.at(ctx, "tags", tags); err != nil {
		return err
	}
	return p.Domain().InvalidateTags(ctx, tags...)
}

type probeFill struct {
	cache.Fill[row]
	p *probe
}

func (f *probeFill) Commit(ctx context.Context, entries ...*cache.Entry[row]) ([]cache.Outcome, error) {
	if err := f.p.at(ctx, "commit"); err != nil {
		return nil, err
	}
	f.p.entries = append(f.p.entries, entries...)
	return f.Fill.Commit(ctx, entries...)
}

func (f *probeFill) Cancel(ctx context.Context) error {
	if err := f.p.at(ctx, "cancel"); err != nil {
		return err
	}
	return f.Fill.Cancel(ctx)
}

// put stores a value without a trace.
func (p *probe) put(t *testing.T, r row, tags ...string) {
	t.Helper()
	e := &cache.Entry[row]{Value: r, Tags: tags, Fresh: cache.Forever, Expires: cache.Forever}
	if ok, err := cache.Put(t.Context(), p.Store, r.id, e); !ok || err != nil {
		t.Fatalf("Put is %v, %v", ok, err)
	}
}

// has returns the version that is stored, 0 for none.
func (p *probe) has(id int) int {
	if e, _ := p.Store.Get(context.Background(), id); e != nil {
		return e.Value.version
	}
	return 0
}

func (p *probe) expectLog(t *testing.T, want ...string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Equal(p.log, want) {
		t.Errorf("it went %q, not %q", p.log, want)
	}
}

// write is an origin that notes that it was asked, and gives the next version.
func (p *probe) write(_ context.Context, r row) (row, error) {
	p.log = append(p.log, "write")
	r.version++
	return r, nil
}

// events keeps what an Observer is told.
type events []cache.Event

func (e *events) Observe(ev cache.Event) { *e = append(*e, ev) }

func (e events) count(k cache.Kind) (n int) {
	for _, ev := range e {
		if ev.Kind == k {
			n++
		}
	}
	return n
}
