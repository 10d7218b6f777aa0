package doubt

import (
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

var ends = map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit}

// rudeError is an error of which the methods do what they should not.
type rudeError struct{ end func() }

func (*rudeError) Error() string     { return "rude" }
func (e *rudeError) Is(error) bool   { e.end(); return false }
func (e *rudeError) Unwrap() []error { e.end(); return nil }

func TestOf_WhatDoesNotAnswerLeavesTheWriteInDoubt(t *testing.T) {
	for name, end := range ends {
		for want, judge := range map[string]Judge{
			"Options.InDoubt":                    {"Options.InDoubt", func(error) bool { end(); return false }},
			"a method of the error of the write": {},
		} {
			err := error(&rudeError{end})
			if judge.InDoubt != nil {
				err = io.EOF
			}
			e, hook := Of(t.Context(), err, judge)
			if e == nil || e.Err != err || hook == nil || hook.Function != want || (hook.Value == nil) != (name == "Goexit") {
				t.Errorf("%s of %s: %v, %v", name, want, e, hook)
			}
		}
	}
	rude := &rudeError{ends["panic"]}
	if !Open(rude) || Decided(rude) {
		t.Errorf("open: %v, decided: %v", Open(rude), Decided(rude))
	}
}

// Whatever the functions of a Hold do, it is released, and whoever waits is told.
func TestGroup_NoFunctionOfAHoldKeepsItFromBeingReleased(t *testing.T) {
	for name, end := range ends {
		for _, at := range []string{"Decided", "Renew", "Release", "Report", "Settled"} {
			t.Run(at+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var g Group
					reports, releases := 0, 0
					here := func(what string) {
						if what == at {
							end()
						}
					}
					began := time.Now()
					h := Hold{
						Within:  time.Minute,
						Renew:   func(context.Context) error { here("Renew"); return nil },
						Release: func(context.Context) error { releases++; here("Release"); return errors.New("down") },
						Report:  func(error) { reports++; here("Report") },
						Settled: func(time.Duration, error) { here("Settled") },
					}
					if at == "Decided" {
						h.Decided = func(context.Context) (bool, error) { end(); return true, nil }
					}
					select {
					case <-g.Add(h):
					case <-time.After(time.Hour):
						t.Fatal("it is not released")
					}
					if took := time.Since(began); took < time.Minute || took > time.Minute+askMost || releases != 1 || reports == 0 || g.Len() != 0 {
						t.Errorf("released %d times after %v, %d reports, %d are left", releases, took, reports, g.Len())
					}
				})
			})
		}
	}
}
