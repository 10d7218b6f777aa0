package writethrough_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
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
	}, nil)
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
		}, nil)(t.Context(), 1)
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
		}, nil)(t.Context(), 1)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cache.ErrInDoubt) || time.Since(start) != 30*time.Second {
			t.Errorf("it is %v after %v", err, time.Since(start))
		}
	})
}

func TestADeleteInvalidatesTheTagsOfItsKeyAlsoIfItsOutcomeIsUnknown(t *testing.T) {
	lost := errors.New("the connection was lost")
	for _, outcome := range []error{nil, lost} {
		d := invalidation.NewDomain()
		store := memstore.New[int, row](d, 10, nil)
		remove := writethrough.Delete(store, func(context.Context, int) error { return outcome }, &writethrough.DeleteOptions[int]{
			Invalidates: func(k int) []string { return []string{"list", "list", fmt.Sprint("row:", k)} }, Domain: d,
		})
		now := cache.Now()
		for k, tag := range []string{"list", "row:7", "row:8"} {
			if _, err := cache.Put(t.Context(), store, k, &cache.Entry[row]{Tags: []string{tag}, Fresh: now + 60_000, Expires: now + 60_000}); err != nil {
				t.Fatal(err)
			}
		}
		if err := remove(t.Context(), 7); err != outcome {
			t.Errorf("the error is %v, not %v", err, outcome)
		}
		for k, there := range []bool{false, false, true} {
			if e, _ := store.Get(t.Context(), k); (e != nil) != there {
				t.Errorf("after %v entry %d is there: %v", outcome, k, e != nil)
			}
		}
	}
}

func TestDeleteNamesTheOptionThatIsWrong(t *testing.T) {
	store := memstore.New[int, row](nil, 10, nil)
	for want, o := range map[string]*writethrough.DeleteOptions[int]{
		"WriteTimeout":  {WriteTimeout: -1},
		"Domain":        {Invalidates: func(int) []string { return nil }},
		"DecidedWithin": {DecidedWithin: -1},
	} {
		func() {
			defer func() {
				if p := fmt.Sprint(recover()); !strings.Contains(p, want) {
					t.Errorf("the panic %q does not name %s", p, want)
				}
			}()
			writethrough.Delete(store, func(context.Context, int) error { return nil }, o)
		}()
	}
}
