package bench

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

const rows = 100

func newDB() *simdb.DB {
	return simdb.New(simdb.Settings{Rows: rows, GroupSize: 10, BodySize: 8, Connections: 16,
		Delay: simdb.Delay{Median: 2 * time.Millisecond, Floor: time.Millisecond}})
}

func sequence(ops int, mix workload.Mix) workload.Sequence {
	return workload.Record(workload.Settings{Seed: 1, Ops: ops, Keys: rows, Groups: rows / 10, Skew: 0.99, Mix: mix})
}

// frozen does everything in a millisecond, but nothing at all for half a
// second of its life.
type frozen struct {
	strategy.NoCache
	from, to time.Time
}

func (f frozen) Get(ctx context.Context, id uint32) (simdb.Row, error) {
	if now := time.Now(); now.After(f.from) && now.Before(f.to) {
		time.Sleep(f.to.Sub(now))
	}
	time.Sleep(time.Millisecond)
	return simdb.Row{ID: id}, nil
}

func TestLatencyFromThePlanShowsAFreeze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freeze := time.Now().Add(time.Second)
		s := frozen{strategy.NoCache{DB: newDB()}, freeze, freeze.Add(500 * time.Millisecond)}
		seq := sequence(2000, workload.Mix{workload.Get: 1})
		tl := newTallies(4)
		clocks, took, late := openLoop(t.Context(), newChecked(s, rows), seq, tl, 0, workload.Constant.Plan(1, 2000, 1000), plainAlarm{})
		planned, service := clocks.planned[workload.Get].Summary(), clocks.service[workload.Get].Summary()
		if planned.P99 < 450*time.Millisecond || planned.P99 > 510*time.Millisecond {
			t.Errorf("p99 from the planned start is %v", planned.P99)
		}
		if service.P99 > 2*time.Millisecond || service.Max < 490*time.Millisecond {
			t.Errorf("service times are %+v", service)
		}
		if planned.Count != 2000 || tl.done(workload.Get) != 2000 || late > time.Millisecond || took > 2100*time.Millisecond {
			t.Errorf("%d operations, the last %v late, in %v", planned.Count, late, took)
		}
	})
}

func TestOpenLoopThatCannotKeepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := frozen{NoCache: strategy.NoCache{DB: newDB()}}
		// Two workers do 2000 operations a second, and 4000 are due.
		clocks, _, late := openLoop(t.Context(), newChecked(s, rows), sequence(4000, workload.Mix{workload.Get: 1}), newTallies(2), 0,
			workload.Constant.Plan(1, 4000, 4000), plainAlarm{})
		if late < 900*time.Millisecond || late > 1100*time.Millisecond {
			t.Errorf("the last operation began %v late", late)
		}
		if p := clocks.planned[workload.Get].Summary(); p.Max < late || p.P50 < 400*time.Millisecond {
			t.Errorf("from the plan: %+v", p)
		}
	})
}

func TestInterruptEndsBothLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		o, seq, tl := newChecked(strategy.NoCache{DB: newDB()}, rows), sequence(1000, workload.Mix{94, 4, 2}), newTallies(4)
		start := time.Now()
		openLoop(ctx, o, seq, tl, 0, workload.Constant.Plan(1, 1000, 100), plainAlarm{})
		if done := tl.all(); done < 9 || done > 12 || tl.failed() != 0 {
			t.Errorf("%d operations were done, %d failed", done, tl.failed())
		}
		closedLoop(ctx, o, seq, tl, 0, 0, time.Hour)
		if took := time.Since(start); took > 110*time.Millisecond {
			t.Errorf("it took %v to stop", took)
		}
	})
}

func TestClosedLoopEndsByCountAndByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, seq := newChecked(strategy.NoCache{DB: newDB()}, rows), sequence(100, workload.Mix{94, 4, 2})
		tl := newTallies(4)
		if took := closedLoop(t.Context(), o, seq, tl, 0, 400, 0); tl.all() != 400 || took != 200*time.Millisecond {
			t.Errorf("%d operations in %v", tl.all(), took)
		}
		tl = newTallies(4)
		if took := closedLoop(t.Context(), o, seq, tl, 0, 0, 100*time.Millisecond); tl.all() < 196 || tl.all() > 204 || took > 103*time.Millisecond {
			t.Errorf("%d operations in %v", tl.all(), took)
		}
		if o.stale.Load() != 0 {
			t.Errorf("the database itself gave %d stale reads", o.stale.Load())
		}
	})
}

func TestFailuresAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl, broken := newTallies(2), errors.New("it broke")
		closedLoop(t.Context(), newChecked(failing{err: broken}, rows), sequence(50, workload.Mix{1, 1, 1}), tl, 0, 50, 0)
		if tl.failed() != 50 || tl.all() != 50 || tl.firstError() != "it broke" {
			t.Errorf("%d of %d failed: %s", tl.failed(), tl.all(), tl.firstError())
		}
		o := newChecked(failing{}, rows)
		if err := o.do(t.Context(), workload.Op{On: 7}); err == nil {
			t.Error("another row is accepted")
		}
	})
}

// failing returns its error, or the wrong row.
type failing struct {
	strategy.NoCache
	err error
}

func (f failing) Get(context.Context, uint32) (simdb.Row, error)           { return simdb.Row{ID: 99}, f.err }
func (f failing) Write(context.Context, uint32) (simdb.Row, error)         { return simdb.Row{}, f.err }
func (f failing) UpdateGroup(context.Context, uint32) ([]simdb.Row, error) { return nil, f.err }

// careless is the cache that everybody writes first: it stores what it has
// loaded, whatever was invalidated meanwhile.
type careless struct {
	strategy.NoCache
	rows sync.Map
}

func (c *careless) Get(ctx context.Context, id uint32) (simdb.Row, error) {
	if row, ok := c.rows.Load(id); ok {
		return row.(simdb.Row), nil
	}
	row, err := c.NoCache.Get(ctx, id)
	if err == nil {
		c.rows.Store(id, row)
	}
	return row, err
}

func (c *careless) Write(ctx context.Context, id uint32) (simdb.Row, error) {
	row, err := c.NoCache.Write(ctx, id)
	c.rows.Delete(id)
	return row, err
}

func (c *careless) UpdateGroup(ctx context.Context, group uint32) ([]simdb.Row, error) {
	rows, err := c.NoCache.UpdateGroup(ctx, group)
	for _, row := range rows {
		c.rows.Delete(row.ID)
	}
	return rows, err
}

func TestCarelessCacheIsCaught(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newChecked(&careless{NoCache: strategy.NoCache{DB: newDB()}}, rows)
		tl := newTallies(16)
		closedLoop(t.Context(), o, sequence(5000, workload.Mix{80, 15, 5}), tl, 0, 20_000, 0)
		if o.stale.Load() == 0 {
			t.Error("no stale read was found")
		}
		if tl.failed() != 0 {
			t.Error(tl.firstError())
		}
	})
}
