package main

// hooks breaks what keeps functions of the user's from doing more than they should, and
// what is promised of values that Redis cannot hold and of loads within loads.
var hooks = []mutant{
	{"written-panics-through", "a panic of the key function after the write goes on in the caller", "writethrough", "TestHooks_AfterTheWriteLeaveItCommittedAndNothingHeld", []edit{
		{"writethrough/hooks.go", `	return t.call(name, func() error { f(); return nil })`, `	f()
	return nil`},
	}},
	{"written-untold", "what follows a function that ends the goroutine is not told", "writethrough", "TestHooks_AfterTheWriteLeaveItCommittedAndNothingHeld", []edit{
		{"internal/contain/call.go", "				if !returned {\n					InTurn(", "				if false && !returned {\n					InTurn("},
	}},
	{"commit-panic-holds", "a commit that panics leaves the key in quarantine", "writethrough", "TestHooks_AStoreThatPanicsIsOneThatCouldNotBeTold", []edit{
		{"writethrough/through.go", `			if !returned {
				if err := t.call(cancelName`, `			if false && !returned {
				if err := t.call(cancelName`},
	}},
	{"written-tags-unknown", "a value is installed although its tags are not known", "writethrough", "TestHooks_AfterTheWriteLeaveItCommittedAndNothingHeld", []edit{
		{"writethrough/writer.go", "e.Tags = distinct.Of(w.o.Tags(key, v)) }); err != nil {\n			return nil, err", "e.Tags = distinct.Of(w.o.Tags(key, v)) }); err != nil {\n			e.Fresh, e.Expires = w.policy.Value(cache.Now())\n			return e, err"},
	}},
	{"invalid-key-written", "a key that no map can hold is written", "writethrough", "TestKeys_WhatNoMapCanHoldIsRefusedByWriters", []edit{
		{"writethrough/writer.go", `err == nil && w.check != nil {`, `err == nil && false {`},
	}},
	{"rule-panic-decides", "a write of which the rule panics is not in doubt", "internal/doubt", "TestOf_WhatDoesNotAnswerLeavesTheWriteInDoubt", []edit{
		{"internal/doubt/doubt.go", `return &cache.InDoubtError{Err: err}, hook`, `return nil, hook`},
	}},
	{"observer-ends-doubt", "an Observer that ends its goroutine keeps a write in doubt from being released", "internal/doubt", "TestGroup_NoFunctionOfAHoldKeepsItFromBeingReleased", []edit{
		{"internal/doubt/group.go", `	if err := contain.Apart(name, f); err != nil {`, `	if err := error(nil); func() bool { defer func() { recover() }(); f(); return false }() {`},
	}},
	{"target-ended-unnoticed", "a store that ends the goroutine of its target is taken for one that has answered", "invalidation", "TestMutate_AStoreThatPanicsIsAnErrorThatNamesItsTarget", []edit{
		{"invalidation/hooks.go", `func(p *cache.PanicError) { errs[i] = p }`, `func(*cache.PanicError) {}`},
	}},
	{"remote-holds", "tags stay held when a Remote panics", "invalidation", "TestDomain_ARemoteThatPanicsIsOneThatHasFailed", []edit{
		{"invalidation/held.go", "			d.holds.remove(names...)\n			return nil, err", "			return nil, err"},
	}},
	{"level-holds", "a level that panics leaves a fill open in the other", "cache", "TestTiered_ALevelThatPanicsLeavesNothingHeldInTheOther", []edit{
		{"cache/tiered.go", `if !*answered {`, `if false {`},
	}},
	{"place-is-kept", "an Observer that ends a goroutine keeps a place among the loads", "aside", "TestHooks_AStoreOrObserverThatDoesNotReturnLeavesNobodyWaiting", []edit{
		{"aside/load.go", "	defer p.release() // unless it is moved\n", ``},
	}},
	{"hook-holds-weight", "a weight that panics leaves a key in quarantine", "memstore", "TestHooks_AWeightThatPanicsIsAnErrorOfTheCommit", []edit{
		{"memstore/weight.go", `		if !weighed {`, `		if false && !weighed {`},
	}},
	{"hook-holds-evict", "an OnEvict that ends a goroutine leaves a key in quarantine", "memstore", "TestHooks_OnEvictHoldsNoKeyHoweverItEnds", []edit{
		{"memstore/fill.go", `		if !told { //`, `		if false && !told { //`},
	}},
	{"vouched-unasked", "what Redis cannot hold is in memory although it was invalidated meanwhile", "redisstore", "TestMemoryInFrontOfItKeepsTheContract/Redis/vouched/invalidated", []edit{
		{scripts + "fill.lua", `  if header(k) ~= token then return 0 end
  if body`, `  if header(k) ~= token and body ~= '' then return 0 end
  if body`},
	}},
	{"cycle-untold", "a load that waits for itself waits until its time is over", "aside", "TestCycle_IsToldAtOnce", []edit{
		{flights + "/trip.go", `	if cycle == nil {`, `	if cycle == nil || true {`},
	}},
	{"cycle-of-one", "only a load that waits for itself directly is told", "internal/waitgraph", "TestBegin_FindsCyclesOfAnyLength", []edit{
		{"internal/waitgraph/graph.go", `		if path := find(next, work, seen); path != nil {`, `		if path := find(next, work, seen); path != nil && false {`},
	}},
	{"wait-never-ends", "a wait that has ended counts as one", "internal/waitgraph", "TestEnd_WhoDoesNotWaitAnyMoreIsInNoCycle", []edit{
		{"internal/waitgraph/graph.go", `	w.work.on = slices.Delete(w.work.on, i, i+1)`, `	_ = i`},
	}},
	{"vouched-held", "what a writer cannot store is vouched for whoever else was there", "redisstore", "TestItKeepsTheContract/Redis/vouched/writer", []edit{
		{"redisstore/fill.go", `		if done[i] == untouchedQuarantine {`, `		if done[i] == untouchedQuarantine || done[i] == 0 {`},
	}},
	{"vouched-without-lease", "what Redis cannot hold is in memory without a lease", "redisstore", "TestVouched_MemoryHoldsWhatRedisCannotAndForgetsWhatAnotherProcessInvalidates", []edit{
		{"redisstore/fill.go", `entries[w.slot].Guard = guardOf(&watches[i], entries[w.slot].Tags)`, `if !w.vouch {
				entries[w.slot].Guard = guardOf(&watches[i], entries[w.slot].Tags)
			}`},
	}},
	{"vouched-watched-late", "what Redis cannot hold is watched from after Redis was asked for it", "redisstore", "TestItKeepsTheContract/Redis/vouched/guard", []edit{
		{"redisstore/fill.go", `e != nil && (w.body != "" || w.vouch) {`, `e != nil && w.body != "" {`},
	}},
	{"vouched-is-lost", "what Redis cannot hold is in no memory either", "redisstore", "TestVouched_ALoaderLoadsOnce", []edit{
		{"cache/tiered.go", `case i < len(outcomes) && outcomes[i].Valid():`, `case i < len(outcomes) && outcomes[i] == Stored:`},
	}},
	{"cycle-past-the-cache", "a load past the cache that asks for itself goes on for ever", "aside", "TestCycle_PastTheCacheIsTold", []edit{
		{"aside/cycle.go", `if slices.Contains(outer, k) {`, `if false && slices.Contains(outer, k) {`},
	}},
	{"own-lock", "a load waits for the lock of the load that it is in", "redisstore", "TestNested_ALoadThatWaitsForALockGivesUpWhenItsOwnerWaitsForIt", []edit{
		{"redisstore/own.go", `		if owner == nil {
			continue
		}
		wait`, `		if true {
			continue
		}
		wait`},
	}},
}
