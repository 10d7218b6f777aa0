package bench

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

const rows = 100

func newDB() *simdb.DB {
	return simdb.New(simdb.Settings{Rows: rows, GroupSize: 10, Connections: 16,
		Delay: simdb.Delay{Median: 2 * time.Millisecond, Floor: time.Millisecond}})
}

func sequence(ops int, mix workload.Mix) workload.Sequence {
	return workload.Record(workload.Settings{Seed: 1, Ops: ops, Keys: rows, Groups: rows / 10, Popularity: workload.Popularity{Shape: workload.Zipfian, Skew: 0.99}, Mix: mix})
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

// summaries returns the latencies of reads, from their planned start and from their own.
func summaries(all *timed) (planned, service latency.Summary) {
	reads := all.reads()
	return reads.planned.Summary(), reads.service.Summary()
}

func TestLatencyFromThePlanShowsAFreeze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freeze := time.Now().Add(time.Second)
		s := frozen{strategy.NoCache{DB: newDB()}, freeze, freeze.Add(500 * time.Millisecond)}
		seq := sequence(2000, workload.Mix{workload.Get: 1})
		tl := newTallies(4)
		all := openLoop(t.Context(), newChecked(s, seq, rows), tl, 0, workload.Constant.Plan(1, 2000, 1000, workload.Profile{}), plainAlarm{}, new(latency.Pulse))
		planned, service := summaries(all)
		if planned.P99 < 450*time.Millisecond || planned.P99 > 510*time.Millisecond {
			t.Errorf("p99 from the planned start is %v", planned.P99)
		}
		if service.P99 > 2*time.Millisecond || service.Max < 490*time.Millisecond {
			t.Errorf("service times are %+v", service)
		}
		if planned.Count != 2000 || tl.done(workload.Get) != 2000 || all.late > time.Millisecond || all.took > 2100*time.Millisecond {
			t.Errorf("%d operations, the last %v late, in %v", planned.Count, all.late, all.took)
		}
	})
}

func TestOpenLoopThatCannotKeepUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := frozen{NoCache: strategy.NoCache{DB: newDB()}}
		// Two workers do 2000 operations a second, and 4000 are due.
		all := openLoop(t.Context(), newChecked(s, sequence(4000, workload.Mix{workload.Get: 1}), rows), newTallies(2), 0,
			workload.Constant.Plan(1, 4000, 4000, workload.Profile{}), plainAlarm{}, new(latency.Pulse))
		late := all.late
		if late < 900*time.Millisecond || late > 1100*time.Millisecond {
			t.Errorf("the last operation began %v late", late)
		}
		if p, _ := summaries(all); p.Max < late || p.P50 < 400*time.Millisecond {
			t.Errorf("from the plan: %+v", p)
		}
	})
}

func TestInterruptEndsBothLoops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		o, tl := newChecked(strategy.NoCache{DB: newDB()}, sequence(1000, workload.Mix{94, 4, 2}), rows), newTallies(4)
		start := time.Now()
		openLoop(ctx, o, tl, 0, workload.Constant.Plan(1, 1000, 100, workload.Profile{}), plainAlarm{}, new(latency.Pulse))
		if done := tl.all(); done < 9 || done > 12 || tl.failed() != 0 {
			t.Errorf("%d operations were done, %d failed", done, tl.failed())
		}
		closedLoop(ctx, o, tl, span{d: time.Hour})
		if took := time.Since(start); took > 110*time.Millisecond {
			t.Errorf("it took %v to stop", took)
		}
	})
}

func TestClosedLoopEndsByCountAndByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newChecked(strategy.NoCache{DB: newDB()}, sequence(100, workload.Mix{94, 4, 2}), rows)
		tl := newTallies(4)
		if took := closedLoop(t.Context(), o, tl, span{n: 400}); tl.all() != 400 || took != 200*time.Millisecond {
			t.Errorf("%d operations in %v", tl.all(), took)
		}
		tl = newTallies(4)
		if took := closedLoop(t.Context(), o, tl, span{d: 100 * time.Millisecond}); tl.all() < 196 || tl.all() > 204 || took > 103*time.Millisecond {
			t.Errorf("%d operations in %v", tl.all(), took)
		}
		if o.stale.Load() != 0 {
			t.Errorf("the database itself gave %d stale reads", o.stale.Load())
		}
	})
}

func TestTimedLoopSeesServiceAndThinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		freeze := time.Now().Add(time.Second)
		s := frozen{strategy.NoCache{DB: newDB()}, freeze, freeze.Add(500 * time.Millisecond)}
		o, tl := newChecked(s, sequence(2000, workload.Mix{workload.Get: 1}), rows), newTallies(4)
		all := timedLoop(t.Context(), o, tl, span{d: 2 * time.Second}, 3*time.Millisecond, func() alarm { return plainAlarm{} }, new(latency.Pulse))
		// A closed loop waits for the freeze to end, and so hides it: 4 of 1500.
		planned, service := summaries(all)
		if planned != service || planned.P99 > 2*time.Millisecond || planned.Max < 490*time.Millisecond {
			t.Errorf("from the plan %+v, service %+v", planned, service)
		}
		// A millisecond of work and three of thinking, for the second and a half that are left.
		if n := tl.all(); n < 1480 || n > 1520 || len(all.samples) != int(n) {
			t.Errorf("%d operations, %d samples", n, len(all.samples))
		}
	})
}

func TestOperationsOnSeveralRowsAreCountedByRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := newDB()
		seq := workload.Record(workload.Settings{Seed: 1, Ops: 400, Keys: rows, Groups: rows / 10, Batch: 5,
			Popularity: workload.Popularity{Shape: workload.Zipfian, Skew: 0.99}, Mix: workload.Mix{workload.GetMany: 1, workload.Scan: 1, workload.Insert: 1, workload.ReadWrite: 1}})
		o, tl := newChecked(strategy.NoCache{DB: db}, seq, rows), newTallies(4)
		closedLoop(t.Context(), o, tl, span{n: 400})
		stats := db.TakeStats()
		if tl.failed() != 0 || tl.all() != 400 || tl.rows() != stats.RowsRead || tl.queries() != stats.Queries() || tl.rows() < 1500 {
			t.Errorf("%s; %d operations ask for %d rows in %d queries, the database has %+v", tl.firstError(), tl.all(), tl.rows(), tl.queries(), stats)
		}
		if n := tl.done(workload.GetMany); stats.RowsRead < 5*n || n == 0 || tl.done(workload.Insert) == 0 {
			t.Errorf("%d batches, %d rows", n, stats.RowsRead)
		}
	})
}

func TestFailuresAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tl, broken := newTallies(2), errors.New("it broke")
		closedLoop(t.Context(), newChecked(failing{err: broken}, sequence(50, workload.Mix{1, 1, 1, 1, 1, 1, 1}), rows), tl, span{n: 50})
		if tl.failed() != 50 || tl.all() != 50 || tl.firstError() != "it broke" {
			t.Errorf("%d of %d failed: %s", tl.failed(), tl.all(), tl.firstError())
		}
		for _, kind := range []workload.Kind{workload.Get, workload.GetMany, workload.Scan, workload.ReadWrite} {
			o := newChecked(failing{}, workload.Sequence{{On: 7, N: 1, Kind: kind}}, rows)
			if _, _, err := o.do(t.Context(), 0); err == nil {
				t.Errorf("%s accepts another row", kind)
			}
		}
	})
}

// failing returns its error, or the wrong row.
type failing struct {
	strategy.NoCache
	err error
}

func (f failing) Get(context.Context, uint32) (simdb.Row, error) { return simdb.Row{ID: 99}, f.err }
func (f failing) GetMany(context.Context, []uint32) ([]simdb.Row, error) {
	return []simdb.Row{{ID: 99}}, f.err
}
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
		o := newChecked(&careless{NoCache: strategy.NoCache{DB: newDB()}}, sequence(5000, workload.Mix{80, 15, 5}), rows)
		tl := newTallies(16)
		closedLoop(t.Context(), o, tl, span{n: 20_000})
		if o.stale.Load() == 0 {
			t.Error("no stale read was found")
		}
		if tl.failed() != 0 {
			t.Error(tl.firstError())
		}
	})
}
