package redisstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/larder-cache/larder/invalidation"
)

var errNoBus = errors.New("larder: redisstore: Options.NoBus is set: this process does not hear of others")

// fence beats in the lanes of marks and waits until it has taken effect.
func (s *Space) fence(ctx context.Context, marks []invalidation.Mark) error {
	if s.closed.Load() {
		return errClosed
	}
	if s.bus == nil {
		return errNoBus
	}
	return together(len(marks), func(i int) error { return s.bus.lanes[marks[i].Lane].fence(ctx) })
}

// together calls f for 0 to n-1 at once and returns an error if one did.
func together(n int, f func(i int) error) error {
	if n == 1 {
		return f(0)
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// parse returns the marks of a token that are of this space.
func (s *Space) parse(token string) ([]invalidation.Mark, error) {
	all, err := invalidation.ParseToken(token)
	if err != nil {
		return nil, err
	}
	var ours []invalidation.Mark
	for _, m := range all {
		if m.Space == s.ns && m.Lane < s.lanes {
			ours = append(ours, m)
		}
	}
	return ours, nil
}

func (r remote) AtLeast(ctx context.Context, token string) error {
	marks, err := r.s.parse(token)
	if err != nil {
		return err
	}
	var unheard []invalidation.Mark
	for _, m := range marks {
		if r.s.bus == nil || !r.s.bus.lanes[m.Lane].heardOf(m) {
			unheard = append(unheard, m)
		}
	}
	if len(unheard) == 0 {
		return nil
	}
	return r.s.fence(ctx, unheard)
}

// heardOf reports whether a place of the log was applied.
func (l *lane) heardOf(m invalidation.Mark) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return m.Line != "" && l.applied.line == m.Line && l.applied.seq >= m.Seq
}

// follows returns for how long the lane has followed a log.
func (l *lane) follows(line string) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.applied.line != line {
		return 0
	}
	return time.Since(l.since)
}

func (r remote) WaitCoherent(ctx context.Context, token string) error {
	if r.s.bus == nil {
		return errNoBus
	}
	marks, err := r.s.parse(token)
	if err != nil {
		return err
	}
	return r.s.waitMarks(ctx, marks)
}

// waitMarks waits until every process has applied the marks, or had no lease any
// more: a lease that was renewed before the mark ends a lease later.
func (s *Space) waitMarks(ctx context.Context, marks []invalidation.Mark) error {
	end := time.Now().Add(s.lease + s.lease/50) // clocks differ in their rates
	return together(len(marks), func(i int) error { return s.waitMark(ctx, marks[i], end) })
}

func (s *Space) waitMark(ctx context.Context, m invalidation.Mark, end time.Time) error {
	pause := min(time.Millisecond, s.lease/100)
	for {
		if left := time.Until(end); left <= 0 {
			return nil
		}
		if log, err := s.askLog(ctx, m.Lane); err == nil && s.allApplied(log, m) {
			return nil
		}
		timer := time.NewTimer(min(pause, time.Until(end)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-s.bus.ctx.Done():
			timer.Stop()
			return errClosed
		}
		pause = min(2*pause, max(s.lease/20, time.Millisecond))
	}
}

// allApplied reports whether the list of processes is complete and all of them
// have applied m. It is complete if the log began long enough ago: when the log
// is lost, so is the list, and each process is on it again with its next beat.
func (s *Space) allApplied(log log, m invalidation.Mark) bool {
	if log.tail.line != m.Line || s.bus.lanes[m.Lane].follows(m.Line) < 2*s.lease {
		return false
	}
	for _, t := range log.applied {
		if t.line != m.Line || t.seq < m.Seq {
			return false
		}
	}
	return true
}

func (r remote) Status(status *invalidation.Status) {
	status.Problems = r.s.problems.list()
	if r.s.bus == nil {
		return
	}
	for i, l := range r.s.bus.lanes {
		l.mu.Lock()
		at := &status.Lanes[i]
		at.Subscribed, at.Applied, at.Gaps = l.subscribed, l.messages, l.gaps
		l.mu.Unlock()
	}
}
