package outage

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/oracle"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// mute is a store that acknowledges invalidations, or not, and makes none.
type mute struct {
	store
	err error
}

func (m mute) Invalidate(context.Context, ...uint64) error { return m.err }

// writes reads a key until it is cached, has it written, and returns what the next
// read is.
func writes(t *testing.T, wrap func(store) store, write func(*writer)) (next sample, w *writer) {
	synctest.Test(t, func(t *testing.T) {
		c := Default()
		k := clock{time.Now()}
		o, oracle, tags := newOrigin(c, k), oracle.New(c.Keys), invalidation.NewDomain()
		rows := newLoader(noted{wrap(memstore.New[uint64, row](tags, 100, nil))}, c, o, false)
		g := &group{rows: rows, oracle: oracle, clock: k}
		if s := g.read(7); s.hit || s.stale || s.lost || s.took < c.Latency-c.Spread || s.took > c.Latency+c.Spread {
			t.Errorf("the first read is %+v", s)
		}
		synctest.Wait()
		if s := g.read(7); !s.hit || s.stale || s.lost || s.took != 0 {
			t.Errorf("the second read is %+v", s)
		}
		w = &writer{to: &cached{rows: rows, tags: tags}, origin: o, oracle: oracle, c: c}
		write(w)
		next = g.read(7)
		if err := g.firstError(); err != nil {
			t.Error(err)
		}
	})
	return next, w
}

func TestACacheThatServesOldValuesIsFoundOut(t *testing.T) {
	row := func(w *writer) { w.row(7) }
	next, w := writes(t, func(s store) store { return mute{s, nil} }, row)
	if !next.hit || !next.stale || w.acknowledged.Load() != 1 {
		t.Errorf("acknowledged and not done: %+v", next)
	}
	next, w = writes(t, func(s store) store { return mute{s, errors.New("down")} }, row)
	if !next.hit || next.stale || w.acknowledged.Load() != 0 || w.failed.Load() != 1 {
		t.Errorf("an error: %+v", next)
	}
	same := func(s store) store { return s }
	for what, write := range map[string]func(*writer){"row": row, "its group": func(w *writer) { w.group(7 + w.c.groups()) }} {
		next, w = writes(t, same, write)
		if next.hit || next.stale || w.oracle.Due(7) != 1 || w.acknowledged.Load() != 1 {
			t.Errorf("%s: %+v, due is %d", what, next, w.oracle.Due(7))
		}
	}
}

func TestAReadWithoutRedisAsksTheOrigin(t *testing.T) {
	next, _ := writes(t, func(s store) store { return &failing{store: s} }, func(w *writer) {})
	if next.hit || !next.failed || next.lost || next.took == 0 {
		t.Errorf("%+v", next)
	}
}

// failing is a store that can be asked twice.
type failing struct {
	store
	asked int
}

func (f *failing) Get(ctx context.Context, key uint64) (e *entry, err error) {
	if f.asked++; f.asked > 2 {
		return nothing{}.Get(ctx, key)
	}
	return f.store.Get(ctx, key)
}
