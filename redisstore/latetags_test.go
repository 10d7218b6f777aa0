package redisstore

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// others returns n tags that no entry of these tests has, all in the lane of a tag.
func others(s *Space, of string, n int) (tags []string) {
	for i := 0; len(tags) < n; i++ {
		if t := fmt.Sprint("other:", i); s.lane(t) == s.lane(of) {
			tags = append(tags, t)
		}
	}
	return tags
}

// coldKeys returns a function that makes a slot of a key that was never asked for.
func coldKeys() func() cache.Slot[string] {
	n := 0
	return func() cache.Slot[string] {
		n++
		return cache.Slot[string]{Key: fmt.Sprint("cold:", n), LateTags: true}
	}
}

func TestLateTags_InvalidationsOfOtherTagsRefuseNothing(t *testing.T) {
	onServers(t, func(t *testing.T, a, b *Space, _ *cache.Counter) {
		s, cold := New[string, string](a, "s", nil), coldKeys()
		for load := range 40 {
			tags := make([]string, 20)
			for i := range tags {
				tags[i] = fmt.Sprint("tag:", load%3, ":", i) // of some, others have the version
			}
			out := loadDuring(t, s, cold(), func() {
				for i := range 20 {
					must(t, b.InvalidateTags(t.Context(), fmt.Sprint("other:", load, ":", i), fmt.Sprint("more:", i)))
				}
			}, anEntry("v", tags...))
			if out != cache.Stored {
				t.Errorf("load %d, during which 40 other tags are invalidated, is %v", load, out)
			}
		}
	})
}

// However many others are invalidated before and after it, an invalidation of a tag of the
// entry refuses it.
func TestLateTags_AnInvalidationOfOneRefuses(t *testing.T) {
	onServers(t, func(t *testing.T, a, b *Space, _ *cache.Counter) {
		s, cold := New[string, string](a, "s", nil), coldKeys()
		invalidate := func(tags ...string) {
			for len(tags) > 0 {
				n := min(len(tags), 100)
				must(t, b.InvalidateTags(t.Context(), tags[:n]...))
				tags = tags[n:]
			}
		}
		for _, before := range []int{0, 1, 29} {
			for _, after := range []int{0, 1, 31, 32, 33, 300, 479, 480, 511, 512, 1100} {
				for _, mine := range []string{"", "invalidated", "held", "let go of"} {
					release := func(context.Context) error { return nil }
					if mine == "let go of" {
						var err error
						release, err = remote{b}.QuarantineTags(t.Context(), []string{"mine"}, 0)
						must(t, err)
					}
					out := loadDuring(t, s, cold(), func() {
						invalidate(others(b, "mine", before)...)
						switch mine {
						case "invalidated":
							invalidate("mine")
						case "held":
							var err error
							release, err = remote{b}.QuarantineTags(t.Context(), []string{"mine"}, 0)
							must(t, err)
						case "let go of":
							must(t, release(t.Context()))
						}
						invalidate(others(b, "mine", after)...)
					}, anEntry("v", "yours", "mine"))
					if mine == "held" {
						must(t, release(t.Context()))
					}
					switch noted := before + after; {
					case mine != "" && out != cache.Refused:
						t.Errorf("%d, then mine is %s, then %d others: %v", before, mine, after, out)
					case mine == "" && (noted < 480 && out != cache.Stored || noted > 512 && out != cache.Refused):
						t.Errorf("%d others: %v", noted, out)
					}
				}
			}
		}
	})
}

func TestLateTags_WhatTheListHasLostIsNotStored(t *testing.T) {
	onServers(t, func(t *testing.T, a, b *Space, _ *cache.Counter) {
		s, cold := New[string, string](a, "s", nil), coldKeys()
		second := New[string, string](b, "s", nil)
		hash := a.laneKey(a.lane("mine"))
		set := func(field, value string) func() {
			return func() { must(t, a.rdb.HSet(t.Context(), hash, field, value).Err()) }
		}
		for name, lose := range map[string]func(){
			"the hash":     func() { must(t, a.rdb.Del(t.Context(), hash).Err()) },
			"the list":     func() { must(t, a.rdb.HDel(t.Context(), hash, "late").Err()) },
			"a page":       func() { must(t, a.rdb.HDel(t.Context(), hash, "t0").Err()) },
			"a short page": set("t0", "x"),
			"no number":    set("late", strings.Repeat("n", 16)+"x"),
			"no list":      set("late", "x"),
		} {
			must(t, a.rdb.Del(t.Context(), hash).Err())
			for _, anew := range []bool{false, true} {
				out := loadDuring(t, s, cold(), func() {
					must(t, b.InvalidateTags(t.Context(), "mine"))
					lose()
					if anew { // another load begins the list anew, and others are noted in it
						if out := loadDuring(t, second, cold(), func() {}, anEntry("v", "mine")); out != cache.Stored {
							t.Errorf("without %s: a load that begins later is %v", name, out)
						}
						must(t, b.InvalidateTags(t.Context(), others(b, "mine", 3)...))
					}
				}, anEntry("old", "mine"))
				if out != cache.Refused {
					t.Errorf("without %s, begun anew: %v, the load is %v", name, anew, out)
				}
				must(t, b.InvalidateTags(t.Context(), "mine"))
				if out := loadDuring(t, s, cold(), func() {}, anEntry("new", "mine")); out != cache.Stored {
					t.Errorf("after the loss of %s, a load is %v", name, out)
				}
			}
		}
	})
}

// A server that goes back to an earlier state, and then forward on another way, has a list
// that is as long as the one before.
func TestLateTags_AnotherHistoryOfTheListIsNoticed(t *testing.T) {
	eachServer(t, func(t *testing.T, rdb redis.UniversalClient) {
		space, err := Open(t.Context(), rdb, strings.ReplaceAll(t.Name(), "/", "."), &Options{Timeout: 10 * time.Second, NoBus: true})
		must(t, err)
		defer space.Close(context.Background())
		s, cold := New[string, string](space, "s", nil), coldKeys()
		lane := space.laneKey(space.lane("mine"))
		loadDuring(t, s, cold(), func() {}, anEntry("v", "mine")) // the list begins
		earlier, err := space.rdb.HGetAll(t.Context(), lane).Result()
		must(t, err)
		must(t, space.InvalidateTags(t.Context(), others(space, "mine", 1)...))
		out := loadDuring(t, s, cold(), func() {
			must(t, space.rdb.HSet(t.Context(), lane, earlier).Err())
			must(t, space.InvalidateTags(t.Context(), "mine"))
			must(t, space.InvalidateTags(t.Context(), others(space, "mine", 1)...))
		}, anEntry("old", "mine"))
		if out != cache.Refused {
			t.Errorf("the load is %v", out)
		}
	})
}
