package main

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
)

func TestTopSeesInvalidationsAndProcesses(t *testing.T) {
	space, err := redisstore.Open(t.Context(), redistest.Client(t), "top", &redisstore.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close(context.Background())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			space.InvalidateTags(ctx, "org:acme\x1b[31m")
			select {
			case <-ctx.Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	defer func() {
		stop()
		<-done
	}()
	args := []string{"top", "--redis", redistest.Standalone(t).Addr(), "--space", "top", "--every", "500ms", "--once"}
	stdout, stderr, code := larder(t, args...)
	if code != exitOK || !strings.Contains(stdout, "tag org:acme") || strings.Contains(stdout, "\x1b") || !strings.Contains(stdout, "process") {
		t.Errorf("exit code %d: %q %s", code, stdout, stderr)
	}
	stdout, _, code = larder(t, append(args, "--json")...)
	var v view
	if err := json.Unmarshal([]byte(stdout), &v); err != nil || code != exitOK || v.PerSecond <= 0 || len(v.Lanes) != 1 || len(v.Members) != 1 || len(v.Last) == 0 {
		t.Errorf("exit code %d, %v: %s", code, err, stdout)
	}
}

func TestTopEndsWithAnInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(700*time.Millisecond, cancel)
	_, stderr, code := larderUnder(ctx, "top", "--redis", redistest.Standalone(t).Addr(), "--space", "nobody", "--every", "200ms")
	if code != exitOK || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

func TestWrongUsageOfTop(t *testing.T) {
	for args, part := range map[string]string{
		"":                                  "--redis is missing",
		"--redis a:1":                       "--space is missing",
		"--redis a:1 --space s extra":       "extra",
		"--redis a:1 --space s --every 1ms": "--every is 1ms",
	} {
		stdout, stderr, code := larder(t, append([]string{"top"}, strings.Fields(args)...)...)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", args, code, stdout)
		}
		checkLine(t, stderr, part)
	}
}

func TestALogThatBeginsAnewIsNoRate(t *testing.T) {
	lane := func(log string, seq uint64) redisstore.SpaceInspection {
		return redisstore.SpaceInspection{Lanes: []redisstore.LaneInspection{{Log: log, Seq: seq}}}
	}
	for _, c := range []struct {
		before, now redisstore.SpaceInspection
		want        float64
	}{
		{lane("a", 10), lane("a", 30), 10}, {lane("a", 10), lane("b", 30), 0}, {lane("a", 10), lane("a", 5), 0}, {lane("", 0), lane("a", 5), 0},
	} {
		if v := viewOf(c.before, c.now, 2*time.Second, nil); v.PerSecond != c.want {
			t.Errorf("%+v: %v a second", c, v.PerSecond)
		}
	}
}
