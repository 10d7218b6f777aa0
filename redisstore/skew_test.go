//go:build unix

package redisstore

import (
	"fmt"
	"testing"
	"time"

	"github.com/larder-cache/larder/internal/redistest"
)

// skews are clocks of processes that share a space.
var skews = []time.Duration{0, time.Minute, -5 * time.Second, 26 * time.Hour, -time.Hour, 30 * time.Millisecond}

// unsure is more than a process may be wrong about the clock of a lane, on a machine
// that has far too much to do, and less than the skews.
const unsure = 2 * time.Second

// What one process has stored lives for as long in every other, whatever their clocks
// show, in Redis and in memory.
func testSkew(t *testing.T, c child) {
	var all []*talker
	for i, d := range skews {
		c.Index, c.Skew = i, d
		all = append(all, c.talker(t))
	}
	for loader := range all {
		key := fmt.Sprint("by-", loader)
		before := time.Now()
		if got := all[loader].does(request{Get: key}); got.Level != "origin" {
			t.Errorf("%d finds %s in %s", loader, key, got.Level)
		}
		after := time.Now()
		for i := range all {
			for _, level := range []string{"redis", "memory"} {
				least := time.Since(after)
				got := all[i].does(request{Get: key})
				most := time.Since(before)
				switch {
				case got.Level == "origin", i != loader && level == "redis" && got.Level != level:
					t.Errorf("with a clock that is ahead by %v, what one with %v has stored is found in %s", skews[i], skews[loader], got.Level)
				case got.Age < least-unsure || got.Age > most+unsure:
					t.Errorf("with a clock that is ahead by %v, what one with %v has loaded %v ago is %v old", skews[i], skews[loader], least, got.Age)
				case got.Remaining < talkTTL-most-unsure || got.Remaining > talkTTL-least+unsure:
					t.Errorf("with a clock that is ahead by %v, what one with %v has loaded %v ago is fresh for %v more, of %v", skews[i], skews[loader], least, got.Remaining, talkTTL)
				}
			}
		}
	}
	for i := range all {
		for _, d := range []time.Duration{time.Hour, -time.Hour} {
			all[i].does(request{Step: d})
			for loader := range all {
				if got := all[i].does(request{Get: fmt.Sprint("by-", loader)}); got.Level == "origin" {
					t.Errorf("after its wall clock was set by %v, a process loads %d again", d, loader)
				}
			}
		}
	}
}

func TestSkew_LivesAreTheSameOnOneServer(t *testing.T) {
	testSkew(t, child{Kind: "single", Addrs: []string{redistest.Private(t).Addr()}})
}

func TestSkew_LivesAreTheSameWithoutABus(t *testing.T) {
	testSkew(t, child{Kind: "single", Addrs: []string{redistest.Private(t).Addr()}, NoBus: true})
}

func TestSkew_LivesAreTheSameOnACluster(t *testing.T) {
	testSkew(t, child{Kind: "cluster", Addrs: redistest.Cluster(t).Addrs()})
}
