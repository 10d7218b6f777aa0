package invalidation

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// halfDead is a Remote of which the part that has names with "dead" in them does not
// answer.
type halfDead struct {
	Remote
	alive atomic.Bool
}

// deadError is about the names that are left.
type deadError struct{ keys, tags []string }

func (e *deadError) Error() string                     { return "dead" }
func (e *deadError) Unfinished() (keys, tags []string) { return e.keys, e.tags }

func (h *halfDead) Status(*Status) {}

func (h *halfDead) InvalidateTags(ctx context.Context, tags []string) error {
	return h.Retry(ctx, nil, tags, false)
}

func (h *halfDead) Retry(_ context.Context, keys, tags []string, _ bool) error {
	if h.alive.Load() {
		return nil
	}
	e := &deadError{}
	for _, k := range keys {
		if strings.Contains(k, "dead") {
			e.keys = append(e.keys, k)
		}
	}
	for _, t := range tags {
		if strings.Contains(t, "dead") {
			e.tags = append(e.tags, t)
		}
	}
	if len(e.keys)+len(e.tags) == 0 {
		return nil
	}
	return fmt.Errorf("wrapped: %w", e)
}

func TestRetries_WhatFailsKeepsNothingElseBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		remote := &halfDead{}
		d, control := NewRemoteDomain(remote, RemoteOptions{Lanes: 1})
		defer control.End()
		for i := range 1000 { // more than go at once
			control.RetryKeys(fmt.Sprint("key", i))
			if i%2 == 0 {
				control.RetryKeys(fmt.Sprint("dead", i))
			}
		}
		var released atomic.Bool
		control.RetryRelease([]string{"dead release"}, func(context.Context) error {
			if !remote.alive.Load() {
				return errors.New("dead")
			}
			return nil
		})
		control.RetryRelease([]string{"release"}, func(context.Context) error {
			released.Store(true)
			return nil
		})
		if err := d.InvalidateTags(t.Context(), "tag", "dead tag"); err == nil {
			t.Error("InvalidateTags of a tag that cannot be invalidated returns nil")
		}
		if d.Held("tag") || !d.Held("dead tag") {
			t.Errorf("the tag that was invalidated is held: %v; the other: %v", d.Held("tag"), d.Held("dead tag"))
		}
		time.Sleep(30 * time.Second)
		for i := range 1000 {
			if d.HeldKey(fmt.Sprint("key", i)) {
				t.Fatalf("key%d is still held", i)
			}
		}
		if !released.Load() || d.HeldKey("release") {
			t.Error("a release has waited for another that fails")
		}
		if s := d.Status(); s.Retries != 502 || s.Held != 502 {
			t.Errorf("%d wait and %d are held, not 500 keys, a tag and a release", s.Retries, s.Held)
		}
		remote.alive.Store(true)
		time.Sleep(10 * time.Second)
		if s := d.Status(); s.Retries != 0 || s.Held != 0 {
			t.Errorf("in the end %d wait and %d are held", s.Retries, s.Held)
		}
	})
}
