package redisstore

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
)

// diagnosis finds out which right or command is missing, when a server has refused
// something. An error of a script does not say which of its commands was refused, so each
// is tried by itself, in the background: see check. It is repeated until nothing is
// missing, by default after 5 seconds, and then less often, down to once a minute.
type diagnosis struct {
	under atomic.Bool
	// unpublished says that the last message was not published, for another reason.
	unpublished atomic.Bool
}

// diagnosed are the codes of problems that a diagnosis finds, and of which it finds that
// they are solved.
var diagnosed = []cache.ProblemCode{ProblemPermission, ProblemCommand, ProblemAccess, ProblemClusterMode, ProblemVersion, ProblemRollback}

// suspect begins a diagnosis if an error is of a kind that asks for one.
func (s *Space) suspect(err error) {
	if err == nil || !denied(err) && !misfit(err) || !s.diagnosis.under.CompareAndSwap(false, true) {
		return
	}
	s.errands.run(func() {
		defer s.diagnosis.under.Store(false)
		ctx, stop := context.WithCancel(context.Background())
		defer stop()
		go func() {
			select {
			case <-s.errands.closing:
				stop()
			case <-ctx.Done():
			}
		}()
		least := max(5*s.lease, 250*time.Millisecond)
		for pause := least; s.diagnose(ctx) && s.rest(pause); {
			pause = min(2*pause, 12*least)
		}
	})
}

// misfit reports whether an error says that the client is for clusters and the server in
// none, or the other way round.
func misfit(err error) bool {
	return says(err, "MOVED", "CROSSSLOT") || isReply(err) && strings.Contains(err.Error(), "cluster support disabled")
}

// rest waits for d, and returns false if the space is closed meanwhile.
func (s *Space) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.errands.closing:
		return false
	}
}

// diagnose notes which problems there are, and which there are no more. It reports
// whether there are any.
func (s *Space) diagnose(ctx context.Context) bool {
	report, err := s.check(ctx, rightsOnly)
	if err != nil {
		return false
	}
	now := map[problemID]bool{}
	for _, p := range report.Problems() {
		if p.Code == ProblemConnection || p.Code == ProblemTLS {
			return true // nothing was found out
		}
		now[problemID{p.Code, p.Subject}] = true
		s.problem(p)
	}
	for _, p := range s.Problems() {
		for _, code := range diagnosed {
			if p.Code == code && !now[problemID{p.Code, p.Subject}] {
				s.solved(p.Code, p.Subject)
			}
		}
	}
	return len(now) > 0
}

// published is told whether a message in a lane was published, or the error of the server
// if it was not.
func (s *Space) published(refusal string) {
	if refusal == "" {
		if s.diagnosis.unpublished.Load() && s.diagnosis.unpublished.CompareAndSwap(true, false) {
			s.solved(ProblemWrites, strings.ToUpper(s.publishes()))
		}
		return
	}
	err := replyError(refusal)
	need, _ := needOf(s.publishes())
	p := cache.Problem{Code: codeOf(err), Subject: strings.ToUpper(need.command), Effect: need.effect, Remedy: remedyOf(err, need.command), Err: err}
	switch {
	case denialOf(err) == deniedChannel:
		p = s.channelProblem(err)
	case !denied(err):
		p.Code = ProblemWrites
		s.diagnosis.unpublished.Store(true)
	}
	s.problem(p)
	s.suspect(err)
}

// channelProblem is the problem of a user who may not use the channels of the space.
func (s *Space) channelProblem(err error) cache.Problem {
	return cache.Problem{
		Code: ProblemPermission, Subject: "channel " + s.ns + ":*", Effect: heardLate + "; " + hearsLate,
		Remedy: "grant &" + s.ns + ":*", Err: err,
	}
}
