package redisstore

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

// told keeps the events about problems.
type told struct{ events []cache.Event }

func (o *told) Observe(e cache.Event) {
	if e.Kind == cache.ProblemFound || e.Kind == cache.ProblemSolved {
		o.events = append(o.events, e)
	}
}

func TestProblems_AreToldWhenTheyBeginAndWhenTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o told
		s := &Space{ns: "shop", observer: &o}
		if s.solved(ProblemPermission, ""); len(o.events) != 0 || s.Problems() != nil {
			t.Fatalf("without a problem there are %v, %v", o.events, s.Problems())
		}
		publish := cache.Problem{Code: ProblemPermission, Subject: "PUBLISH", Effect: "e", Err: io.EOF}
		s.problem(publish)
		time.Sleep(time.Second)
		s.problem(publish)
		s.problem(cache.Problem{Code: ProblemPermission, Subject: "SUBSCRIBE"})
		s.problem(cache.Problem{Code: ProblemReplica, Subject: "a:1"})
		if len(o.events) != 3 {
			t.Fatalf("of three problems one came twice, and %d were told", len(o.events))
		}
		p, ok := errors.AsType[*cache.Problem](o.events[0].Err)
		if !ok || p.Subject != "PUBLISH" || p.Err != io.EOF || o.events[0].Kind != cache.ProblemFound || o.events[0].Cache != "shop" {
			t.Errorf("it was told as %+v", o.events[0])
		}
		all := s.Problems()
		if len(all) != 3 || all[0].Subject != "PUBLISH" || all[0].Since.IsZero() {
			t.Errorf("the problems are %+v", all)
		}
		s.solved(ProblemPermission, "PUBLISH")
		s.solved(ProblemPermission, "PUBLISH")
		if last := o.events[len(o.events)-1]; len(o.events) != 4 || last.Kind != cache.ProblemSolved || last.Took != time.Second {
			t.Errorf("the end was told as %+v", o.events[3:])
		}
		s.solved(ProblemReplica, "")
		if left := s.Problems(); len(left) != 1 || left[0].Subject != "SUBSCRIBE" {
			t.Errorf("left are %+v", left)
		}
	})
}
