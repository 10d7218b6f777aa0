package main

// failing breaks what is promised while the origin fails, is slow or has too much to
// do.
var failing = []mutant{
	{"stale-from-before-the-wait", "what the store had before the wait is served because of an error", "aside", "TestAValueThatIsInvalidatedWhileACallerWaitsIsNotServedOnError", []edit{
		{"aside/spare.go", "	if e := g.instead(ctx, key, w, err); e != nil {", "	if ctx.Err() == nil {"},
	}},
	{"too-old-after-the-wait", "a value that has grown older than wished during the wait is served on error", "aside", "TestWish_MaxAgeIsKeptWhenTheLoadFails", []edit{
		{"aside/spare.go", `w.tooOld(timesOf(e, true), now) {`, `false {`},
		{"aside/lookup.go", `if w.tooOld(timesOf(e, true), now) { // since`, `if false { // since`},
	}},
	{"stale-for-who-left", "a caller who has left has a stale value", "aside", "TestACallerWhoLeavesGetsNoStaleValue", []edit{
		{"aside/spare.go", `if ctx.Err() != nil || contain.Is(err, cache.ErrClosed) {`, `if false && contain.Is(err, cache.ErrClosed) {`},
	}},
	{"stale-at-once-too-long", "what is only for errors is served at once", "aside", "TestWhatIsServedAtOnceAndWhatOnErrorAddUp", []edit{
		{"aside/early.go", `case now < g.policy.AtOnce(e.Fresh):`, `case now < e.Expires:`},
	}},
	{"stale-of-another-policy", "what the policy would not keep is served because of an error", "aside", "TestAnotherPolicyDoesNotServeWhatItWouldNotKeep", []edit{
		{"aside/early.go", `case now < g.policy.AtOnce(e.Fresh).Add(g.policy.IfError):`, `case now < e.Expires:`},
	}},
	{"soft-timeout-cancels", "the load ends when those who waited have something else", flights, "TestWhoRunsOutOfPatienceDoesNotEndTheLoad", []edit{
		{flights + "/round.go", "	t.call.run.kept = t.call.run.kept || keep\n", ``},
	}},
	{"patience-by-chance", "an answer that is there is left for a stale value", flights, "TestAnAnswerThatIsThereIsBetterThanNoPatience", []edit{
		{flights + "/round.go", `if hasty && done(answered) {`, `if false && done(answered) {`},
	}},
	{"no-back-off", "a key is loaded again although a load has just failed", "aside", "TestAnOriginThatFailsForHalfAMinuteIsNoticedByNobodyAndLeftInPeace", []edit{
		{"aside/backoff.go", "				g.failures.add(keys[i], d, r.err, since[i])\n", ``},
	}},
	{"back-off-before-the-queue", "who has waited for a place does not look for failures", "aside", "TestWhoHasWaitedForAPlaceIsNotLoadedForInABackOff", []edit{
		{"aside/trip.go", "	if at = g.rested(ctx, t, keys, at); len(at) == 0 {\n		return nil, nil\n	}\n	keep = true\n", "	keep = true\n"},
	}},
	{"back-off-unvalidated", "a back-off repeats an error although something was invalidated since", "aside", "TestOldErrors_ABackOffEndsWithAnInvalidation", []edit{
		{"aside/backoff.go", `		if !holds {`, `		if false && !holds {`},
	}},
	{"back-off-joined", "who comes while the store is asked whether an error still holds has that error", "aside", "TestOldErrors_NobodyJoinsWhileTheStoreIsAsked", []edit{
		{"aside/backoff.go", "		t.Seal(i)\n", ``},
	}},
	{"leaving-is-failing", "that everybody has left is a failure of the origin", "aside", "TestWhatIsNoFailureOfTheOriginStartsNoBackOff", []edit{
		{"aside/backoff.go", `case ctx.Err() == nil:`, `default:`},
	}},
	{"back-off-after-invalidate", "Invalidate does not end a back-off", "aside", "TestOldErrors_InvalidateEndsABackOffByItself", []edit{
		{"aside/engine.go", "	g.failures.end(keys...)\n", ``},
	}},
	{"back-off-after-success", "a load that succeeds does not end a back-off", "aside", "TestABackOffIsEnded", []edit{
		{"aside/backoff.go", "			g.failures.end(keys[i])\n", ``},
	}},
	{"failures-without-end", "of failures all are remembered", "aside", "TestTheMemoryOfFailuresIsBounded", []edit{
		{"aside/backoff.go", `!ok && len(f.of) >= maxFailures`, `false && !ok`},
	}},
	{"queue-without-end", "any number of loads wait for a place", "aside", "TestTheOriginSeesNoMoreThanItsLimit", []edit{
		{"aside/limits.go", `l.waiting.Add(1) > l.queue`, `l.waiting.Add(1) > 1<<40`},
	}},
	{"direct-without-limit", "what goes past the cache needs no place", "aside", "TestTheOriginSeesNoMoreThanItsLimit", []edit{
		{"aside/load.go", "	p, err := g.limits.enter(ctx, g.o.LoadTimeout)\n", "	p, err := &permit{}, error(nil)\n"},
	}},
	{"wait-without-end", "a load waits for a place as long as it takes", "aside", "TestALoadWaitsForAPlaceNoLongerThanItMayTake", []edit{
		{"aside/limits.go", "	timer := time.NewTimer(patience)", "	timer := time.NewTimer(100 * patience)"},
	}},
	{"refreshes-queue", "refreshes do not need a place among the loads", "aside", "TestRefreshesAtOnceAreLimited", []edit{
		{"aside/limits.go", "	if l.loads != nil && !try(l.loads) {\n		<-l.refreshes\n		return false\n	}\n", "	if l.loads != nil {\n		l.loads = make(chan struct{}, 1000)\n		try(l.loads)\n	}\n"},
	}},
	{"refreshes-at-any-rate", "any number of refreshes begin in a second", "aside", "TestRefreshesInASecondAreLimited", []edit{
		{"aside/limits.go", `if !l.rate.take(time.Now()) {`, `if false {`},
	}},
	{"load-without-end", "who waits for a load that ignores its context waits with it", "aside", "TestALoadThatIgnoresItsDeadlineHoldsNobodyAndNothing", []edit{
		{"aside/load.go", `time.NewTimer(g.o.LoadTimeout + grace)`, `time.NewTimer(100 * g.o.LoadTimeout)`},
	}},
	{"every-deadline-is-ours", "a deadline of the origin's own is taken for LoadTimeout", "aside", "TestAnErrorOfOurDeadlineSaysSoAndStaysTheOrigins", []edit{
		{"aside/load.go", `ours := ctx.Err() == nil && within.Err() == context.DeadlineExceeded`, `ours := true`},
	}},
	{"close-forgets-the-deaf", "Close does not wait for loads that were left alone", "aside", "TestALoadThatWasLeftAloneKeepsItsPlaceAndIsReportedByClose", []edit{
		{"aside/engine.go", `g.around().close(ctx), g.adrift.wait(ctx)`, `g.around().close(ctx), 0`},
	}},
	{"early-ends-with-itself", "an early refresh ends when it meets the value that was due", "aside", "TestAheadLoadsOnceAndNotBefore", []edit{
		{"aside/trip.go", ` || slots[j].Refresh && !other(e, t.Cause(i))`, ``},
	}},
	{"early-beside-another", "an early refresh loads what another process has just loaded", "aside", "TestWhatSomebodyElseHasStoredEndsAnEarlyRefresh", []edit{
		{"aside/trip.go", `slots[j].Refresh && !other(e, t.Cause(i))`, `slots[j].Refresh`},
	}},
	{"early-in-memory-only", "an early refresh of what is in memory does not reach the shared store", "cache", "TestTieredAsksL2ForARefreshOfWhatIsFreshInL1", []edit{
		{"cache/tiered.go", `if !refreshes(slots) && allFresh(`, `if allFresh(`},
	}},
	{"busy-is-an-outage", "a refresh that another process makes is made here too", "aside", "TestARefreshThatAnotherProcessMakesIsLeftToIt", []edit{
		{"aside/trip.go", `refresh && g.putOff(t, keys, at, err)`, `false && g.putOff(t, keys, at, err)`},
	}},
	{"busy-while-somebody-waits", "a load that somebody waits for gives way to another process", flights, "TestARefreshIsAdmittedOnceForAllItsKeys", []edit{
		{flights + "/trip.go", `if !c.run.refresh || c.round.early > 0 {`, `if !c.run.refresh {`},
	}},
	{"not-loaded-at-any-time", "an entry does not say when it was loaded", "aside", "TestAheadLoadsOnceAndNotBefore", []edit{
		{"aside/entry.go", "	e.SetLoaded(now)\n", ``},
	}},
	{"old-of-another", "a load is shown the value of the load that asked for it", "aside", "TestAnotherLoadIsNotShownTheValueOfThis", []edit{
		{"aside/old.go", `if e == nil && ctx.Value(oldKey[V]{}) == nil {`, `if e == nil {`},
	}},
	{"no-time-is-stored", "a value that is fresh for no time is stored", "aside", "TestTTLIsTheValues", []edit{
		{"aside/entry.go", `p.Fresh <= 0 {`, `p.Fresh < -1<<60 {`},
	}},
	{"publish-decides", "a server that does not publish keeps an invalidation from being made", "redisstore", "TestRights_EachThatIsMissingIsNamed", []edit{
		{scripts + "log.lua", `redis.pcall(verb, channel,`, `redis.call(verb, channel,`},
	}},
	{"removed-for-want-of-a-right", "a refusal is taken for a key of another type, which is removed", "redisstore", "TestRights_NothingIsRemovedForWantOfOne", []edit{
		{scripts + "nonce.lua", `if not string.find(err, '^-?WRONGTYPE') then redis.call(...) end`, ``},
	}},
	{"refusal-asked-again", "readers ask a server that refuses them again and again", "redisstore", "TestRights_ReadersDoNotAskInVainAgainAndAgain", []edit{
		{"redisstore/refusals.go", ` || denied(err)`, ``},
	}},
	{"released-in-doubt", "a change whose commit is in doubt is released at once", "invalidation", "TestMutate_InDoubtHoldsItsTargetsUntilTheTimeDecides", []edit{
		{"invalidation/mutate.go", `if doubt := m.doubt(within, err); doubt != nil {`, `if doubt := m.doubt(within, err); doubt != nil && false {`},
	}},
	{"writer-released-in-doubt", "a write whose commit is in doubt is released at once", "writethrough", "TestWriteTimeoutBoundsTheOriginByItsContext", []edit{
		{"writethrough/through.go", `		if e != nil {
			return t.doubt(`, `		if e != nil && false {
			return t.doubt(`},
	}},
	{"under-way-ends-in-time", "a change of which the origin says that it is under way is released in time", "internal/doubt", "TestGroup_AnAnswerDecides", []edit{
		{"internal/doubt/group.go", `p.until = time.Now().Add(p.Within)`, ``},
	}},
	{"quarantine-of-a-minute", "a quarantine ends before its write is decided", "redisstore", "TestQuarantine_LivesForAsLongAsItsWriterAsks", []edit{
		{"redisstore/quarantine.go", `life = max(life, slots[i].Hold)`, ``},
	}},
	{"malformed-fails-open", "a Mutation with a malformed target runs without its targets", "invalidation", "TestMutate_AMalformedTargetIsNotStartedWhateverElseIsSet", []edit{
		{"invalidation/mutate.go", `return check(m.Targets)`, `_ = check; return nil`},
	}},
	{"malformed-tag-stored", "a value is stored under a tag that nobody can invalidate", "aside", "TestTags_AValueWithATagThatIsMalformedIsNotStoredAndObserved", []edit{
		{"aside/entry.go", `if err := tagname.Check(e.Tags...); err != nil {`, `if err := tagname.Check(); err != nil {`},
		{"memstore/fill.go", `if err := tagname.Check(e.Tags...); err != nil {`, `if err := tagname.Check(); err != nil {`},
	}},
}
