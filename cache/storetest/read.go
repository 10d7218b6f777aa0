package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

var readRules = []Rule{
	rule("get/hit", "Get returns the value that was committed.", reference.Discards, nothing, func(p *probe) {
		p.store("a", an("1"))
		p.store("b", an("2"))
		p.has("a", "1")
		p.has("b", "2")
	}),
	rule("get/entry", "Get returns an entry with the tags and the cost that it was committed with.", reference.CostForgotten, nothing, func(p *probe) {
		p.store("k", an("v", "t1", "t2", "t3"))
		e := p.get("k")
		if e == nil {
			p.fail("Get is a miss")
		}
		if got := slices.Sorted(slices.Values(e.Tags)); !slices.Equal(got, []string{"t1", "t2", "t3"}) {
			p.fail("Tags are %q, want t1, t2 and t3", e.Tags)
		}
		if e.Cost != 1500*time.Millisecond {
			p.fail("Cost is %v, want 1.5s", e.Cost)
		}
		if e.Absent {
			p.fail("the entry is Absent")
		}
	}),
	rule("get/loaded", "Get and GetMany return an entry that was loaded when it was committed to have been, and leave open what was.", reference.LoadedForgotten, nothing, func(p *probe) {
		now := cache.Now()
		for i, at := range []cache.Moment{now, now - 3_600_001, 0} {
			key, e := fmt.Sprint("k", i), an("v", "t")
			e.SetLoaded(at)
			p.store(key, e)
			for _, got := range []*entry{p.get(key), p.many(key)[key]} {
				if got == nil || got.Loaded() != at {
					p.fail("Get is %+v, want it to be loaded at %d", got, at)
				}
			}
		}
	}),
	rule("get/times", "Get returns an entry that is fresh and expires at the millisecond that it was committed with.", reference.SecondsOnly, nothing, func(p *probe) {
		for i := range cache.Moment(3) {
			key := fmt.Sprint("k", i)
			now := cache.Now()
			e := &entry{Fresh: now.Add(time.Minute) + i, Expires: now.Add(time.Hour) + 2*i + 1}
			p.store(key, &entry{Fresh: e.Fresh, Expires: e.Expires})
			if got := p.get(key); got == nil || got.Fresh != e.Fresh || got.Expires != e.Expires {
				p.fail("Get is %+v, want Fresh %d, Expires %d", got, e.Fresh, e.Expires)
			}
		}
	}),
	rule("get/absent", "The answer that there is no value is an entry, marked Absent, and not a miss.", reference.AbsentIsMiss, nothing, func(p *probe) {
		e := an("")
		e.Absent = true
		p.store("k", e)
		if got := p.get("k"); got == nil || !got.Absent {
			p.fail("Get is %+v, want an entry that is Absent", got)
		}
	}),
	rule("get/miss", "Get of a key without an entry is nil and no error.", reference.MissIsError, nothing, func(p *probe) {
		p.misses("k")
		p.store("other", an("v"))
		p.misses("k", "othe", "other2")
	}),
	rule("many/exact", "GetMany returns exactly the keys that have an entry, each with its own.", reference.ManyHoldsMisses, nothing, func(p *probe) {
		p.store("a", an("1"))
		p.store("c", an("3"))
		got := p.many("a", "b", "c", "d")
		if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, []string{"a", "c"}) {
			p.fail("GetMany of a, b, c, d has the keys %q, want a and c", keys)
		}
		if shown(got["a"]) != `"1"` || shown(got["c"]) != `"3"` {
			p.fail("GetMany is a: %s, c: %s, want 1 and 3", shown(got["a"]), shown(got["c"]))
		}
	}),
	rule("many/repeats", "GetMany takes no keys, or the same key twice.", reference.RepeatsAreErrors, nothing, func(p *probe) {
		p.store("a", an("1"))
		if got := p.many(); len(got) != 0 {
			p.fail("GetMany of no keys has %d", len(got))
		}
		if got := p.many("a", "b", "a", "b", "a"); len(got) != 1 || shown(got["a"]) != `"1"` {
			p.fail("GetMany of a, b, a, b, a has %d keys, a: %s", len(got), shown(got["a"]))
		}
	}),
	rule("many/valid", "GetMany leaves out what was invalidated.", reference.ManyUnchecked, tags, func(p *probe) {
		for _, k := range []string{"a", "b", "c"} {
			p.store(k, an(k, "tag:"+k))
		}
		p.invalidateTags("tag:b")
		p.invalidate("c")
		if got := p.many("a", "b", "c"); len(got) != 1 || shown(got["a"]) != `"a"` {
			p.fail("GetMany of a and the invalidated b and c has %d keys, b: %s, c: %s", len(got), shown(got["b"]), shown(got["c"]))
		}
	}),
	rule("value/empty", "The empty value is a value.", reference.EmptyIsMiss, nothing, func(p *probe) {
		p.store("k", an(""))
		p.has("k", "")
	}),
	rule("value/binary", "A value is bytes, whatever they are.", reference.TextOnly, nothing, func(p *probe) {
		all := make([]byte, 256)
		for i := range all {
			all[i] = byte(i)
		}
		for i, v := range []string{string(all), "\x00", "\xff\xfe", "\r\n", "$-1\r\n", "null", "M" + strings.Repeat("\x00", 16)} {
			key := fmt.Sprint("k", i)
			p.store(key, an(v))
			p.has(key, v)
		}
	}),
	rule("value/large", "A value of a mebibyte is stored whole.", reference.ValuesCapped, nothing, func(p *probe) {
		v := strings.Repeat("0123456789abcde\n", 1<<16)
		p.store("k", an(v))
		p.has("k", v)
	}),
	rule("key/distinct", "Different keys have different entries, however odd their names.", reference.KeysEndAtNUL, nothing, func(p *probe) {
		keys := []string{":", "::", "{}", "{a}", "{a}b", "a", "A", "a:", "a:b", "a{b}", "ab", "%", "%25", "%00", "*", "?", "[a]", "\\",
			" ", "a ", " a", "\n", "\r\n", "\x00", "a\x00", "a\x00b", "\xff", "é", "e\u0301", "日本", "0", "00", "nil", strings.Repeat("a", 200)}
		for i, k := range keys {
			p.store(k, an(fmt.Sprint(i)))
		}
		for i, k := range keys {
			p.has(k, fmt.Sprint(i))
		}
		if got := p.many(keys...); len(got) != len(keys) {
			p.fail("GetMany has %d of %d keys", len(got), len(keys))
		}
		for i, k := range keys {
			p.invalidate(k)
			p.misses(k)
			for j := i + 1; j < len(keys); j++ {
				p.has(keys[j], fmt.Sprint(j))
			}
		}
	}),
	rule("tag/distinct", "Different tags have different members, however odd their names.", reference.TagsFolded, tags, func(p *probe) {
		names := []string{":", "::", "{}", "{a}", "{a}b", "a", "A", "a:", "a:b", "ab", "%", "%25", "*", " ", "a ", "\x00", "a\x00", "\xff", "é", "日本"}
		for i, t := range names {
			p.store(fmt.Sprint("k", i), an(fmt.Sprint(i), t))
		}
		for i, t := range names {
			p.invalidateTags(t)
			p.misses(fmt.Sprint("k", i))
			for j := i + 1; j < len(names); j++ {
				p.has(fmt.Sprint("k", j), fmt.Sprint(j))
			}
		}
	}),
	rule("commit/replaces", "A commit replaces the stale entry that Reserve met.", reference.FirstWins, nothing, func(p *probe) {
		p.store("k", stale("old"))
		p.store("k", stale("newer"))
		p.has("k", "newer")
		p.store("k", an("new"))
		p.has("k", "new")
	}),
}
