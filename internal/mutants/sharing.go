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
