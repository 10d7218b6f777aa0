//go:build unix

package redisstore

import (
	"context"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/redistest"
)

// crash has a child commit a row and die at once, and returns what this process
// reads then: the versions that memory, Redis and the origin have.
func crash(t *testing.T, with string) (read, origin int64) {
	s := redistest.Private(t)
	file, b := newBoard(t)
	rdb := client("single", "", []string{s.Addr()}, nil)
	defer rdb.Close()
	space, err := Open(t.Context(), rdb, "board", &Options{Lease: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer space.Close(context.Background())
	users := b.loader(space, nil)
	for range 3 { // into Redis and memory
		if _, err := users.Get(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if err := space.Fence(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cmd := child{File: file, Kind: "single", Addrs: []string{s.Addr()}, Lease: time.Second, Do: "die", FailHere: with}.start(t)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 7 {
		t.Fatalf("the child has ended with %d, not after its commit", code)
	}
	// What was invalidated before the child committed has reached this process
	// after a fence.
	if err := space.Fence(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if read, err = users.Get(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	return read, b.version[0].Load()
}

func TestAWriterThatDiesAfterItsCommitLeavesNothingStale(t *testing.T) {
	for range 3 {
		if read, origin := crash(t, "Mutate"); read != origin || origin != 1 {
			t.Fatalf("%d is read, the origin has %d", read, origin)
		}
	}
}

// The limit that docs/guarantees.md names: a plain Invalidate that was never
// called.
func TestAWriterThatDiesBeforeItsInvalidateLeavesTheOldValue(t *testing.T) {
	if read, origin := crash(t, ""); read == origin {
		t.Fatalf("%d is read as if it had been invalidated: the test of Mutate proves nothing", read)
	}
}
