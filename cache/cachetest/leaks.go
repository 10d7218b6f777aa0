package cachetest

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// patience is how long goroutines may take to end after a test.
const patience = 5 * time.Second

// CheckLeaks fails the test if goroutines that began during it are there after
// it, and shows where they are. They have some seconds to end. Call it first, so
// that what the test cleans up is gone by then; it is not for tests that run in
// parallel with others.
func CheckLeaks(t testing.TB) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		var left []string
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			left = nil
			for id, stack := range goroutines() {
				if _, was := before[id]; !was && !ours(stack) {
					left = append(left, stack)
				}
			}
			if len(left) == 0 {
				return
			}
			if time.Now().After(deadline) {
				break
			}
		}
		t.Errorf("%d goroutines are left:\n\n%s", len(left), strings.Join(left, "\n\n"))
	})
}

// ours reports whether a goroutine is one of package testing, which has begun
// another test.
func ours(stack string) bool {
	return strings.Contains(stack, "testing.tRunner(") || strings.Contains(stack, "created by testing.(*T).Run") ||
		strings.Contains(stack, "created by testing.runTests") || strings.Contains(stack, "runtime.goexit0")
}

// goroutines returns the stacks of all goroutines but the one that asks.
func goroutines() map[string]string {
	buf := make([]byte, 1<<20)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			buf = buf[:n]
			break
		}
		buf = make([]byte, 2*len(buf))
	}
	out := map[string]string{}
	for i, stack := range bytes.Split(buf, []byte("\n\n")) {
		var id string
		if _, err := fmt.Sscanf(string(stack), "goroutine %s", &id); err == nil && i > 0 {
			out[id] = string(stack)
		}
	}
	return out
}
