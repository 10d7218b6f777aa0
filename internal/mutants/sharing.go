package main

const flights = "internal/flight"

// sharing breaks what callers who share a load rely on.
var sharing = []mutant{
	{"join-unvalidated", "who comes after the departure gets a result that was not validated", flights, "TestLateCallersHaveAResultOnlyIfItIsValid", []edit{
		{flights + "/round.go", `if !t.late || t.round.valid {`, `if true || t.round.valid {`},
		{flights + "/round.go", `	if valid {`, `	if true {`},
	}},
	{"join-until-stored", "a load can be joined until its fill has returned", flights, "TestWhoComesAfterTheSealHasTheNextRound", []edit{
		{flights + "/round.go", `case t.round.phase == departed:`, `case t.round.phase < settled:`},
	}},
	{"share-under-quarantine", "who comes during a write gets a load that was not stored", "aside", "TestWhoComesDuringAWriteLoadsAnew", []edit{
		{"aside/trip.go", `outcomes[j].Valid())`, `outcomes[j] != cache.Refused)`},
	}},
	{"back-to-the-start", "whose round was not validated opens a call of its own", flights, "TestThoseWhoAreCarriedGoTogether", []edit{
		{flights + "/round.go", "			return t.round.res, t.round.err\n		}\n		t.round, t.late = t.round.next, false", "			return t.round.res, t.round.err\n		}\n		return g.Do(ctx, t.call.key, true)"},
		{flights + "/round.go", "	} else if r.late > 0 {\n		r.next.early += r.late\n	}", "	} else {\n		c.run.waiters -= r.late\n	}"},
	}},
	{"leaders-context", "the load ends with the caller who opened it", flights, "TestEachCallerObeysItsOwnContext", []edit{
		{flights + "/run.go", `context.WithCancel(context.WithoutCancel(ctx))`, `context.WithCancel(ctx)`},
	}},
	{"never-abandoned", "a load that nobody waits for goes on", flights, "TestTheLoadIsCancelledWhenTheLastCallerLeaves", []edit{
		{flights + "/run.go", "	r.cancel()\n	for _, c := range r.calls {\n		if g.calls", "	for _, c := range r.calls {\n		if g.calls"},
	}},
	{"finish-what-has-not-begun", "a load that waits for its place goes on for nobody", "aside", "TestBackgroundCompletion_IsWithinLoadTimeoutAndLimits", []edit{
		{"aside/trip.go", "	place, at := g.enter(ctx, t, keys, all(keys), t.Refreshes())\n", "	t.Finish(g.finishes)\n	place, at := g.enter(ctx, t, keys, all(keys), t.Refreshes())\n"},
	}},
	{"finish-what-is-not-stored", "a load that cannot be stored goes on for nobody", "aside", "TestBackgroundCompletion_IsOnlyForWhatCanBeStored", []edit{
		{"aside/trip.go", "		t.Finish(g.finishes && fill != nil)\n", ``},
	}},
	{"finish-nothing", "a load ends with the callers whose deadlines are short", "aside", "TestBackgroundCompletion_ShortDeadlinesWarmASlowKey", []edit{
		{flights + "/run.go", `r.finish && !g.closed`, `false`},
	}},
	{"finish-after-close", "Close waits for loads that nobody waits for", "aside", "TestBackgroundCompletion_EndsWithClose", []edit{
		{flights + "/run.go", `r.finish && !g.closed`, `r.finish`},
	}},
	{"vouch-for-ever", "a linearizable load that nobody waits for is tried until a writer is done", "aside", "TestBackgroundCompletion_ALinearizableLoadIsTriedOnce", []edit{
		{"aside/strict.go", ` || t.Abandoned() {`, ` {`},
	}},
	{"wait-for-loads-only", "Wait does not wait for commits", "aside", "TestWait_IsForAllThatIsUnderWay", []edit{
		{flights + "/group.go", `ended = append(ended, t.ended)`, `ended = append(ended, t.calls[0].round.landed)`},
	}},
	{"cancelled-and-joined", "a newcomer joins a load that was cancelled", flights, "TestANewcomerNeverInheritsACancelledLoad", []edit{
		{flights + "/run.go", `if g.calls[c.key] == c && c.round.phase < landed {`, `if false {`},
	}},
	{"panic-wedges", "a panic of the load answers nobody", flights, "TestPanicAndGoexitAnswerEverybodyAndWedgeNothing", []edit{
		{flights + "/run.go", `		t.Fail(err)`, `		if returned {
			t.Fail(err)
		}`},
	}},
	{"error-unvalidated", "an error answers who comes after the departure, whatever was invalidated", "aside", "TestOldErrors_NobodyHasTheErrorOfALoadThatBeganBeforeAnInvalidation", []edit{
		{flights + "/round.go", `if !t.late || t.round.valid {`, `if !t.late || t.round.valid || t.round.err != nil {`},
		{flights + "/round.go", `	if valid {`, `	if valid || r.err != nil {`},
	}},
	{"error-alone", "an error answers only those who came before the departure", "aside", "TestAnErrorAnswersAllWhoWaitAtOnce", []edit{
		{"aside/witness.go", `t.Settle(at[n], valid)`, `t.Settle(at[n], false && valid)`},
	}},
	{"forget-nothing", "Forget lets newcomers join", flights, "TestForgottenCallsTakeNoNewcomers", []edit{
		{flights + "/group.go", "func (g *Group[K, R]) Forget(key K) {\n	g.mu.Lock()\n	delete(g.calls, key)", "func (g *Group[K, R]) Forget(key K) {\n	g.mu.Lock()"},
	}},
}
