package main

const scripts = "redisstore/lua/"

// lives are mistakes with the clocks of processes and servers.
var lives = []mutant{
	{"life-by-own-clock", "what is stored lives by the clock of whoever stored it", "redisstore", "TestSkew_LivesAreTheSameOnOneServer", []edit{
		{"redisstore/moments.go", `sent, shift := e.sent, -ahead`, `sent, shift := e.sent, 0*ahead`},
	}},
	{"sent-in-the-future", "an old idea of the clock makes an entry live longer than it was to", "redisstore", "TestMoments_AnEntryWasSentBeforeItIsRead", []edit{
		{"redisstore/moments.go", `shift = min(shift, now.Sub(sent))`, `_ = sent`},
	}},
	{"earlier-program", "the moments of an earlier program are taken as they are", "redisstore", "TestMoments_OfAnEarlierProgramAreCountedFromWhenItWasStored", []edit{
		{"redisstore/moments.go", `shift = e.stored().Add(-ahead).Sub(e.loaded)`, `_ = e.stored`},
	}},
	{"clock-goes-back", "the time of a lane goes back with the server's", "redisstore", "TestLaneTime_AServerWhoseClockIsSetBackMakesNothingYounger", []edit{
		{scripts + "time.lua", `if now + ahead < last then ahead = last - now end`, ``},
	}},
	{"clock-is-lost", "the time of a lane goes back when its hash is lost", "redisstore", "TestLaneTime_AServerWhoseClockIsSetBackMakesNothingYounger", []edit{
		{scripts + "time.lua", `math.max(tonumber(last or 0), tonumber(least))`, `tonumber(last or 0)`},
	}},
	{"clock-overtaken", "an old answer sets the clock back", "redisstore", "TestLaneTime_AClockThatMayBeOursIs", []edit{
		{"redisstore/lanetime.go", `if m < old.last {`, `if false {`},
	}},
	{"clock-never-fades", "what was heard of a clock is taken for true for ever", "redisstore", "TestLaneTime_IsAskedForOnce", []edit{
		{"redisstore/lanetime.go", `switch age := k.age(time.Now()); {`, `switch age := 0 * k.age(time.Now()); {`},
	}},
	{"roll-of-a-set-clock", "a process is taken for dead because the server's clock was set", "redisstore", "TestRoll_AServerWhoseClockIsSetForgetsNobodyAlive", []edit{
		{scripts + "beat.lua", `if age and math.abs(now - tonumber(ARGV[7])) <= age / 2 then`, `if age then`},
	}},
	{"lock-not-renewed", "a load that takes longer than others of late is made by each process", "redisstore", "TestRenewal_OneSlowLoadAmongQuickOnesIsMadeOnce", []edit{
		{"redisstore/reserve.go", `	f.keep()`, ``},
	}},
	{"lock-comes-back", "a renewal that is late brings back a lock that was let go of", "redisstore", "TestRenewal_OfALockThatWasLetGoOf", []edit{
		{scripts + "renew.lua", ` and string.sub(c, 26) ~= bytes(0)`, ``},
	}},
	{"lock-after-the-fill", "locks are renewed after the fill has ended", "redisstore", "TestRenewal_AQuickLoadNeedsNone", []edit{
		{"redisstore/renew.go", `		r.stop()`, ``},
	}},
	{"swept-early", "an entry leaves memory in the second before its end", "memstore", "TestSweep_AnEntryIsServedUntilItsEnd", []edit{
		{"memstore/sweep.go", `end > now {`, `end > now+1 {`},
	}},
	{"swept-once", "of what has expired, only what ends first leaves memory", "memstore", "TestSweep_WhatHasExpiredLeavesThoughNobodyAsks", []edit{
		{"memstore/sweep.go", `	if next != never {`, `	if false {`},
	}},
	{"swept-apart", "an entry that was stored during a sweep is not swept", "memstore", "TestSweep_WaitsForOnEvictAndKeepsNobodyWaiting", []edit{
		{"memstore/sweep.go", `		s.expect(0)`, ``},
	}},
	{"versions-of-first-entries", "the versions of the first entries of a store die before them", "redisstore", "TestTags_VersionsOfTheFirstEntryOfAStoreLiveAsLongAsThat", []edit{
		{"redisstore/fill.go", `one.body != "" && 2*one.px > f.tags.life`, `false`},
	}},
	{"life-by-the-wall", "an entry lives by the wall clock", "internal/clock", "TestMilli_AWallClockThatIsSetChangesNothing", []edit{
		{"internal/clock/clock.go", `ns := start.UnixNano() + int64(t.Sub(start))`, `ns := t.UnixNano()`},
	}},
	{"sleep-is-no-time", "an entry does not grow older while the machine sleeps", "internal/clock", "TestMilli_AMachineThatSleepsGrowsOlder", []edit{
		{"internal/clock/clock.go", `ns += skew.Load() + slept.Load()`, `ns += skew.Load()`},
	}},
}

var blindFill = edit{scripts + "fill.lua", `if header(k) ~= token then return 0 end`, ``}

// stored breaks what keeps invalidated values out of Redis.
var stored = []mutant{
	{"validate-no-token", "an error holds although its key was invalidated", "redisstore", "TestItKeepsTheContract/Redis/validate/key", []edit{
		{"redisstore/validate.go", `valid[i] = c.text() == sl.token && `, `valid[i] = `},
	}},
	{"validate-no-versions", "an error holds although a tag was invalidated", "redisstore", "TestItKeepsTheContract/Redis/validate/known-tag", []edit{
		{"redisstore/validate.go", `check.same(f.tags.wanted(sl.key, sl.tags())) && `, ``},
	}},
	{"validate-late-tags", "an error holds although a tag that nobody knows may have been invalidated", "redisstore", "TestItKeepsTheContract/Redis/validate/late-tag", []edit{
		{"redisstore/validate.go", ` || sl.late && sl.found == nil`, ``},
	}},
	{"validate-in-memory", "an error holds although a key in memory was invalidated", "memstore", "TestItKeepsTheContract/OneShard/lru/validate/key", []edit{
		{"memstore/validate.go", `sh.closed || sh.changed(sl.hash, sl.since) || `, `sh.closed || `},
	}},
	{"validate-any-tag", "an error holds although a tag that nobody knows was invalidated in memory", "memstore", "TestItKeepsTheContract/OneShard/lru/validate/late-tag", []edit{
		{"invalidation/watch.go", `d.remote != nil || d.sequence.Load() != w.sequence || `, `d.remote != nil || `},
	}},
	{"blind-fill", "a fill stores although its token is gone", "redisstore", "TestItKeepsTheContract/Redis/refuse/key", []edit{blindFill}},
	{"delayed-double-delete", "a second removal a little later in place of tokens", "redisstore", "TestItKeepsTheContract/Redis/refuse/key", []edit{
		blindFill,
		{"redisstore/store.go", "	err := s.space.invalidateKeys(ctx, texts)\n", "	err := s.space.invalidateKeys(ctx, texts)\n	time.AfterFunc(50*time.Millisecond, func() { s.space.invalidateKeys(context.WithoutCancel(ctx), texts) })\n"},
	}},
	{"key-text-unread", "the MarshalText of a key counts although it may be the text of others", "redisstore", "TestKeyText_DiffersForDifferentKeys", []edit{
		{"redisstore/keytext.go", `back.Elem().Interface() == k`, `true`},
	}},
	{"key-text-unmarked", "a key that is written by its kind may have the text that another has by itself", "redisstore", "TestKeyText_DiffersForDifferentKeys", []edit{
		{"redisstore/keytext.go", `return readMark + text, true`, `return text, true`},
	}},
	{"json-of-a-copy", "JSON is made of a copy, so methods of pointers write nothing", "cache", "TestJSON_MethodsOfPointersAreCalledBothWays", []edit{
		{"cache/codec.go", `json.Marshal(&v)`, `json.Marshal(v)`},
	}},
	{"json-replaces-text", "strings that are not UTF-8 are stored as others", "cache", "TestJSON_StringsThatAreNotUTF8AreAnError", []edit{
		{"cache/codec.go", `err = checkText(reflect.ValueOf(&v), b)`, `_ = reflect.ValueOf(&v)`},
	}},
	{"schema-without-embedding", "the schema does not know what is embedded", "redisstore", "TestStore_AStructThatIsEmbeddedNowIsAMiss", []edit{
		{"cache/schema.go", `if s.flattens(f) {`, `if false {`},
	}},
	{"losses-unasked", "a type whose values come back as others is accepted", "redisstore", "TestNew_RefusesValuesThatComeBackAsOthers", []edit{
		{"redisstore/payload.go", `if !ok || slices.Contains(accepted, "*") {`, `if !ok || true {`},
	}},
	{"versions-after-load", "the versions of tags are read after the load", "redisstore", "TestItKeepsTheContract/Redis/refuse/known-tag", []edit{
		{"redisstore/fill.go", `	return f.tags.learn(ctx, tags)`, `	f.tags.watch(tags)
	f.tags.orders, f.tags.late = nil, false
	calls := f.tags.calls(ctx)
	err := f.store.space.run(ctx, calls...)
	f.tags.take(calls)
	return err`},
	}},
	{"version-from-zero", "the first version of a tag is always the same", "redisstore", "TestItKeepsTheContract/Redis/refuse/tag-used-again", []edit{
		{scripts + "tags.lua", `h = 'T' .. nonce(ARGV[1])`, `h = 'T' .. string.rep('0', 16)`},
	}},
	{"client-nonce-of-tag", "a tag's version is made by the client alone, so a repeated command makes it again", "redisstore", "TestARepeatedCommandNeverMintsTheSameNonceAgain", []edit{
		{scripts + "tags.lua", `h = 'T' .. nonce(ARGV[1])`, `h = 'T' .. ARGV[1] .. ARGV[1]`},
	}},
	{"client-nonce-of-key", "a token is made by the client alone, so a repeated command makes it again", "redisstore", "TestARepeatedCommandNeverMintsTheSameNonceAgain", []edit{
		{scripts + "acquire.lua", `out[i] = 'M' .. nonce(ARGV[1])`, `out[i] = 'M' .. ARGV[1] .. ARGV[1]`},
	}},
	{"invalidate-before-commit", "the quarantine ends before the origin has committed", "invalidation", "TestMutateHoldsItsTagsUntilTheChangeIsDone", []edit{
		{"invalidation/mutate.go", `	err = fn(within)`, `	held.release(ctx)
	err = fn(within)`},
	}},
	{"late-list-lost", "a list of invalidated tags that was lost is no sign of an invalidation", "redisstore", "TestLateTags_WhatTheListHasLostIsNotStored", []edit{
		{scripts + "tags.lua", `if not noted then return {} end`, `noted = noted or {}`},
	}},
	{"late-list-another", "a list of invalidated tags is taken for another that was lost", "redisstore", "TestLateTags_WhatTheListHasLostIsNotStored", []edit{
		{scripts + "late.lua", `name ~= string.sub(position, 1, 16) or `, ``},
		{scripts + "late.lua", `if string.sub(notes, at + 1, at + 8) ~= string.sub(position, 17, 24) then return nil end`, ``},
	}},
	{"late-list-history", "a list of invalidated tags that went another way is taken for the same", "redisstore", "TestLateTags_AnotherHistoryOfTheListIsNoticed", []edit{
		{scripts + "late.lua", `if string.sub(notes, at + 1, at + 8) ~= string.sub(position, 17, 24) then return nil end`, ``},
	}},
	{"late-tags-no-list", "the versions of tags that the load brings are taken as they are after it", "redisstore", "TestItKeepsTheContract/Redis/refuse/late-tag", []edit{
		{scripts + "tags.lua", `if not noted[ARGV[i + 4]] then`, `if true then`},
	}},
	{"late-quarantine-unnoted", "a load that began while a writer held a tag is stored", "redisstore", "TestLateTags_AnInvalidationOfOneRefuses", []edit{
		{scripts + "releasetags.lua", `note(KEYS[1], ARGV[1], 7)`, ``},
	}},
	{"no-taint", "an invalidation during a write does not keep the writer's value out", "redisstore", "TestItKeepsTheContract/Redis/quarantine/invalidated", []edit{
		{scripts + "taint.lua", `quarantine(k, string.sub(redis.call('GET', k), 19), '1', rnd, redis.call('PTTL', k))`, `return`},
	}},
	{"no-taint-of-tag", "an invalidation of a tag in quarantine leaves its version as it is", "redisstore", "TestAnInvalidationDuringAQuarantineIsSeenByLoadsUnderIt", []edit{
		{scripts + "invalidatetags.lua", `  remove(KEYS[i], ARGV[1])`, `  if kind(header(KEYS[i])) ~= 'Q' then remove(KEYS[i], ARGV[1]) end`},
	}},
	{"naive-write-through", "of two writers the last to return installs its value", "redisstore", "TestItKeepsTheContract/Redis/writer/last", []edit{
		{scripts + "taint.lua", `if others ~= '' then`, `if others ~= '' and body == '' then`},
		{scripts + "taint.lua", `elseif untouched and same then`, `elseif body ~= '' then`},
	}},
	{"lost-quarantine-kept", "a writer who has lost the quarantine leaves what was stored meanwhile", "redisstore", "TestAWriterWhoseQuarantineIsLostRemovesWhatWasStoredMeanwhile", []edit{
		{scripts + "taint.lua", "  else\n    redis.call('DEL', k)\n  end\n  return", "  elseif others ~= ids then\n    redis.call('DEL', k)\n  end\n  return"},
		// The commit removes it once more, with a message.
		{"redisstore/release.go", `if lost != nil {`, `if false {`},
	}},
	{"one-writer", "a quarantine knows one writer only, and ends with the last who came", "redisstore", "TestAQuarantineEndsWithTheLastOfItsWriters", []edit{
		{scripts + "taint.lua", `quarantine(k, ids .. id, '1', rnd,`, `quarantine(k, id, '1', rnd,`},
	}},
	{"quarantine-by-id-alone", "a release takes a quarantine for its own that a repetition has made", "redisstore", "TestRelease_ThatIsRepeatedAfterItsQuarantineInstallsNothing", []edit{
		{scripts + "taint.lua", `elseif untouched and same then`, `elseif untouched then`},
	}},
	{"late-quarantine-not-lost", "a writer whose quarantine was lost does not notice if a repetition has made another", "redisstore", "TestQuarantine_ThatIsRepeatedAfterItWasLostIsNotItsWriters", []edit{
		{scripts + "taint.lua", `(others == ids or untouched and token ~= '')`, `others == ids`},
	}},
	{"quarantine-anew-when-repeated", "a quarantine that is repeated at once is another, and its writer stores nothing", "redisstore", "TestARepeatedQuarantineIsStillOneWriter", []edit{
		{scripts + "taint.lua", `if without(ids, id) ~= ids then return h end`, `if without(ids, id) ~= ids then return quarantine(k, ids, '0', rnd, ttl) end`},
	}},
}
