package writethrough_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/writethrough"
)

func TestADeletedValueIsGoneBeforeAndAfter(t *testing.T) {
	p := newProbe()
	p.put(t, row{1, 5})
	del := writethrough.Delete(p, func(context.Context, int) error {
		p.log = append(p.log, "delete")
		if p.has(1) != 0 {
			t.Error("the value is there while the origin deletes it")
		}
		return nil
	})
	if err := del(t.Context(), 1); err != nil || p.has(1) != 0 {
		t.Errorf("the delete is %v, the store has %d", err, p.has(1))
	}
	p.expectLog(t, "quarantine", "delete", "commit")
	p.put(t, row{1, 6})
}

func TestWhatADeleteReports(t *testing.T) {
	for verb, is := range map[string]func(error) bool{
		"quarantine": func(err error) bool { return errors.Is(err, cache.ErrNotStarted) },
		"commit":     isPostCommit,
		"origin":     func(err error) bool { return err == errNo },
	} {
		p, asked := newProbe(verb), false
		err := writethrough.Delete(p, func(context.Context, int) error {
			asked = true
			if verb == "origin" {
				return errNo
			}
			return nil
		})(t.Context(), 1)
		if !is(err) || asked == (verb == "quarantine") {
			t.Errorf("%s fails: %v, the origin was asked: %v", verb, err, asked)
		}
	}
}

func TestADeleteEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := writethrough.Delete(newProbe(), func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return ctx.Err()
		})(t.Context(), 1)
		if err != context.DeadlineExceeded || time.Since(start) != 30*time.Second {
			t.Errorf("it is %v after %v", err, time.Since(start))
		}
	})
}
