package simdb

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// steady is a database in which every query takes exactly 2 ms.
func steady(connections int) *DB {
	return New(Settings{Rows: 25, GroupSize: 10, Body: func(uint32) string { return strings.Repeat("x", 64) }, Connections: connections,
		Delay: Delay{Median: 2 * time.Millisecond, Floor: time.Millisecond}})
}

func TestConnectionsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := steady(2)
		start := time.Now()
		var readers sync.WaitGroup
		for range 6 {
			readers.Go(func() {
				if _, err := db.Read(t.Context(), 3); err != nil {
					t.Error(err)
				}
			})
		}
		readers.Wait()
		if took := time.Since(start); took != 6*time.Millisecond {
			t.Errorf("6 reads of 2ms on 2 connections took %v", took)
		}
		s := db.TakeStats()
		if s.Reads != 6 || s.PeakInUse != 2 || s.Queued != 4 || s.Queries() != 6 {
			t.Errorf("stats are %+v", s)
		}
		if w := s.QueueWait; w.Count != 6 || w.Max.Round(100*time.Microsecond) != 4*time.Millisecond {
			t.Errorf("queue wait is %+v", w)
		}
		if again := db.TakeStats(); again != (Stats{}) {
			t.Errorf("taken again, stats are %+v", again)
		}
	})
}

func TestReadSeesItsBeginningAndWriteItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, ctx := steady(2), t.Context()
		var row Row
		var reader sync.WaitGroup
		start := time.Now()
		go db.Write(ctx, 3)
		time.Sleep(time.Millisecond)
		reader.Go(func() { row, _ = db.Read(ctx, 3) })
		reader.Wait()
		if row.Version != 1 || row.ID != 3 {
			t.Errorf("a read that began before the commit sees %+v", row)
		}
		row, _ = db.Read(ctx, 3)
		if row.Version != 2 || row.Committed.Sub(start) != 2*time.Millisecond || len(row.Body) != 64 {
			t.Errorf("a read after the commit sees %+v", row)
		}
	})
}

func TestGroupsAreUpdatedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db, ctx := steady(1), t.Context()
		rows, err := db.UpdateGroup(ctx, 2)
		if err != nil || len(rows) != 5 || rows[0].ID != 20 || rows[4].Version != 2 || rows[4].Group != 2 {
			t.Errorf("the last group is %+v, %v", rows, err)
		}
		if row, _ := db.Read(ctx, 19); row.Version != 1 || row.Group != 1 || db.GroupOf(19) != 1 {
			t.Errorf("the row before is %+v", row)
		}
		if s := db.TakeStats(); s.GroupUpdates != 1 || s.Queries() != 2 {
			t.Errorf("stats are %+v", s)
		}
	})
}

func TestWhatIsGivenUpDoesNotCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := steady(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		var writers sync.WaitGroup
		for range 2 { // one at work and one in line
			writers.Go(func() {
				if _, err := db.Write(ctx, 3); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error is %v", err)
				}
			})
		}
		writers.Wait()
		if row, err := db.Read(t.Context(), 3); err != nil || row.Version != 1 {
			t.Errorf("the row is %+v, %v", row, err)
		}
		if s := db.TakeStats(); s.Failed != 2 || s.Writes != 0 || s.PeakInUse != 1 {
			t.Errorf("stats are %+v", s)
		}
	})
}

func TestDelayIsLognormal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := New(Settings{Seed: 1, Rows: 1, GroupSize: 1, Connections: 1,
			Delay: Delay{Median: 2 * time.Millisecond, Floor: time.Millisecond, Sigma: 0.5}})
		for range 4000 {
			db.Read(t.Context(), 0)
		}
		s := db.TakeStats().Service
		for _, c := range []struct {
			what      string
			got, want time.Duration
		}{
			{"median", s.P50, 2 * time.Millisecond},
			{"p90", s.P90, 3796 * time.Microsecond}, // 2ms·exp(0.5·1.2816)
			{"least", s.Min, time.Millisecond},
		} {
			if math.Abs(float64(c.got-c.want)) > 0.05*float64(c.want) {
				t.Errorf("the %s is %v, not %v", c.what, c.got, c.want)
			}
		}
	})
}

func TestCalibration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := Settings{Rows: 1, GroupSize: 1, Connections: 4, Delay: Delay{Median: 2 * time.Millisecond}}
		c, err := Calibrate(t.Context(), s, 300*time.Millisecond)
		if err != nil || c.Capacity != 2000 || c.Sleep.Count != 50 || c.Service.Count != 400 {
			t.Errorf("with exact timers: %+v, %v", c, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := Calibrate(ctx, s, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an interrupted calibration ends with %v", err)
		}
	})
}
