package main

// around breaks what is promised of switches, and of what one caller wishes.
var around = []mutant{
	{"bypass-inherits", "who comes during a load around the cache has what it yields", "aside", "TestCallersShareLoadsAroundTheCache", []edit{
		{"aside/around.go", "	t.Depart()\n	g.observe(cache.Direct", "	t.Depart()\n	for i := range keys {\n		defer t.Settle(i, true)\n	}\n	g.observe(cache.Direct"},
	}},
	{"shadow-inherits", "a load of a shadow that was refused is good for all", "aside", "TestNoReadIsOlderThanTheLastInvalidationWhileASwitchIsFlipped", []edit{
		{"aside/trip.go", `t.Settle(at[j], j < len(outcomes)`, `t.Settle(at[j], w != inTurn || j < len(outcomes)`},
	}},
	{"shadow-blames-writers", "what was written during a load counts as a difference", "aside", "TestShadowCountsWhatTheCacheWouldHaveSaidWrong", []edit{
		{"aside/around.go", `if e == nil || !stored || g.judge(e).waits() {`, `if _ = stored; e == nil || g.judge(e).waits() {`},
	}},
	{"shadow-of-the-unserved", "what the cache would not have said is compared", "aside", "TestShadowCountsWhatTheCacheWouldHaveSaidWrong", []edit{
		{"aside/around.go", `if e == nil || !stored || g.judge(e).waits() {`, `if e == nil || !stored {`},
	}},
	{"shadow-in-memory-only", "what is fresh in memory is not loaded anew below", "aside", "TestShadowFillsBothLevelsAlthoughMemoryIsFresh", []edit{
		{"aside/trip.go", "		store = cache.Strict(store)\n", ``},
	}},
	{"shadow-shows-the-answer", "a load that is compared is shown what it is compared with", "aside", "TestShadowDoesNotShowTheOriginWhatTheCacheHas", []edit{
		{"aside/trip.go", `return rest, found, nil //`, `return rest, found, g.old(fill, 0) //`},
	}},
	{"around-joined-in-vain", "an invalidation does not end who joins a load around the cache", "aside", "TestAnInvalidationLeavesNobodyWithALoadInVainAroundTheCache", []edit{
		{"aside/engine.go", "		b.forget(keys)\n", "		_ = b\n"},
	}},
	{"around-left-open", "Close does not wait for loads around the cache", "aside", "TestPanicsAndCloseAroundTheCache", []edit{
		{"aside/around.go", `return b.direct.Close(ctx) + b.shadow.Close(ctx) + b.anew.Close(ctx)`, `return 0`},
	}},
	{"switch-for-one-only", "GetMany does not heed the Switch", "aside", "TestAPartOfTheKeysGoesAroundTheCache", []edit{
		{"aside/batch.go", `parts := b.modes(keys); parts != nil`, `parts := b.modes(keys); false`},
	}},
	{"switch-of-the-parent", "the milder mode of a Switch and its parent applies", "cache", "TestTheStricterModeApplies", []edit{
		{"cache/switch.go", `state == 0 || Mode(state>>32) <= mode`, `state == 0`},
	}},
	{"strict-finds-in-memory", "Find of a strict store looks into memory", "cache", "TestFindOfAStrictStoreLooksPastMemory", []edit{
		{"cache/find.go", "	return s.findInL2(ctx, key)\n", "	return s.tiered.Find(ctx, key)\n"},
	}},
	{"unknown-is-young", "a value of unknown age is young enough", "aside", "TestAValueOfUnknownAgeIsTooOld", []edit{
		{"aside/wish.go", `return age < 0 || age > w.MaxAge`, `return age > w.MaxAge`},
	}},
	{"met-whatever-its-age", "what somebody else has stored is young enough", "aside", "TestLookupSaysWhatSomebodyElseHasStored", []edit{
		{"aside/lookup.go", `if err != nil || !w.tooOld(r.times, now) {`, `if err != nil || r.met || !w.tooOld(r.times, now) {`},
	}},
	{"stale-beyond-the-wish", "what is staler than wished is served if the origin fails", "aside", "TestHowStaleAValueMayBeIsWished", []edit{
		{"aside/wish.go", "		return stale\n	}\n	return missing\n", "		return stale\n	}\n	return spare\n"},
	}},
	{"cache-only-refreshes", "who wants only what is cached has it loaded again", "aside", "TestFromTheCacheOnlyNothingIsLoaded", []edit{
		{"aside/lookup.go", `if !w.CacheOnly && (s == stale || s == due) {`, `if s == stale || s == due {`},
	}},
	{"cache-only-too-old", "who wants only what is cached has what is too old", "aside", "TestAValueThatIsOlderThanWishedIsLoadedAnew", []edit{
		{"aside/lookup.go", `case w.CacheOnly && (old || s.waits()):`, `case w.CacheOnly && s.waits():`},
	}},
	{"cache-only-switched", "who wants only what is cached has it although the Switch says no", "aside", "TestFromTheCacheOnlyNothingIsLoaded", []edit{
		{"aside/lookup.go", "case mode != cache.ModeOn:\n", "case mode != cache.ModeOn && !w.CacheOnly:\n"},
		{"aside/lookup.go", `case w.CacheOnly && mode != cache.ModeOn:`, `case false:`},
	}},
	{"token-unheard", "a token that was not heard of is read past", "aside", "TestAValueIsAsNewAsATokenWishes", []edit{
		{"aside/lookup.go", "	r, err := g.loadAround(ctx, key, g.around().direct)\n	return g.loaded(r, err, cache.Now())\n}\n\n// look asks", "	return g.look(ctx, key, w)\n}\n\n// look asks"},
	}},
	{"loaded-is-forgotten", "a value from Redis does not say when it was loaded", "redisstore", "TestPromotionIntoMemoryKeepsTagsAndTimes", []edit{
		{"redisstore/read.go", "	e.SetLoaded(loaded)\n", "	_ = loaded\n"},
	}},
	{"unknown-flags-are-read", "an entry of a later program is read", "redisstore", "TestAnUnknownFlagIsNotTakenForDamage", []edit{
		{"redisstore/envelope.go", `maxMethod<<methodShift | flagLoaded | flagSent`, `maxMethod<<methodShift | flagLoaded | flagSent | 0x40`},
	}},
}
