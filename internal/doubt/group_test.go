package doubt

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// counted is a Hold that counts.
type counted struct {
	renews, releases, reports atomic.Int64
	took                      atomic.Int64
}

func (c *counted) hold(within time.Duration, decided func(context.Context) (bool, error)) Hold {
	return Hold{
		Decided: decided, Within: within,
		Renew:   func(context.Context) error { c.renews.Add(1); return nil },
		Release: func(context.Context) error { c.releases.Add(1); return nil },
		Report:  func(error) { c.reports.Add(1) },
		Settled: func(d time.Duration, _ error) { c.took.Store(int64(d)) },
	}
}

func TestGroup_WithoutAnAnswerTheTimeDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var c counted
		settled := g.Add(c.hold(time.Minute, nil))
		time.Sleep(time.Minute - 1)
		synctest.Wait()
		if c.releases.Load() != 0 || c.renews.Load() != 2 || g.Len() != 1 {
			t.Errorf("%d releases, %d renewals, %d in doubt", c.releases.Load(), c.renews.Load(), g.Len())
		}
		time.Sleep(1)
		synctest.Wait()
		select {
		case <-settled:
		default:
			t.Error("nobody is told of the end")
		}
		if c.releases.Load() != 1 || g.Len() != 0 || c.took.Load() != int64(time.Minute) {
			t.Errorf("%d releases after %v, %d in doubt", c.releases.Load(), time.Duration(c.took.Load()), g.Len())
		}
	})
}

func TestGroup_AnAnswerDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var c counted
		began, end := time.Now(), 5*time.Minute
		settled := g.Add(c.hold(time.Minute, func(context.Context) (bool, error) { return time.Since(began) >= end, nil }))
		time.Sleep(end - 1) // it is under way for much longer than a minute
		synctest.Wait()
		if c.releases.Load() != 0 || c.renews.Load() < 10 {
			t.Errorf("%d releases, %d renewals while it is under way", c.releases.Load(), c.renews.Load())
		}
		<-settled
		if took := time.Since(began); took > end+askMost || c.releases.Load() != 1 || c.reports.Load() != 0 {
			t.Errorf("released %d times after %v, %d reports", c.releases.Load(), took, c.reports.Load())
		}
	})
}

func TestGroup_AfterTheLastAnswerTheTimeDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var c counted
		began := time.Now()
		settled := g.Add(c.hold(time.Minute, func(context.Context) (bool, error) {
			if time.Since(began) > 10*time.Minute {
				return false, errors.New("down")
			}
			return false, nil
		}))
		<-settled
		if took := time.Since(began); took < 11*time.Minute-askMost || took > 11*time.Minute+askMost || c.reports.Load() == 0 {
			t.Errorf("released after %v, %d reports", took, c.reports.Load())
		}
	})
}

func TestGroup_QuestionsThatHangOrPanicHoldNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var c counted
		free := make(chan struct{})
		for range 3 * asks {
			g.Add(c.hold(time.Minute, func(context.Context) (bool, error) { <-free; return true, nil }))
			g.Add(c.hold(time.Minute, func(context.Context) (bool, error) { panic("no") }))
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := c.releases.Load(); n != 6*asks || c.reports.Load() == 0 {
			t.Errorf("%d of %d are released, %d reports", n, 6*asks, c.reports.Load())
		}
		close(free)
	})
}

func TestGroup_NotMoreThanAFewAreAskedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var c counted
		var now, most atomic.Int64
		for range 100 {
			g.Add(c.hold(time.Minute, func(context.Context) (bool, error) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(100 * time.Millisecond)
				now.Add(-1)
				return true, nil
			}))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if c.releases.Load() != 100 || most.Load() != asks {
			t.Errorf("%d are released, %d were asked at once", c.releases.Load(), most.Load())
		}
	})
}

func TestGroup_StopReleasesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g Group
		var c counted
		g.Stop()
		g.Add(c.hold(time.Minute, nil))
		g = Group{}
		g.Add(c.hold(time.Minute, nil))
		g.Add(c.hold(time.Minute, func(ctx context.Context) (bool, error) { <-ctx.Done(); return false, ctx.Err() }))
		time.Sleep(time.Second)
		g.Stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		if c.releases.Load() != 0 {
			t.Errorf("%d are released", c.releases.Load())
		}
	})
}
