package main

// memory breaks what keeps invalidated values out of the memory of processes.
var memory = []mutant{
	{"beat-without-tail", "a beat renews the lease although messages are missing", "redisstore", "TestABeatRenewsOnlyWhatHasCaughtUp", []edit{
		{"redisstore/lane.go", `		l.reach(ctx, t, asked)`, `		_ = t`},
	}},
	{"wait-for-the-missed", "a beat waits for what was published before the subscription", "redisstore", "TestALaneDoesNotWaitForWhatWasPublishedBeforeItsSubscription", []edit{
		{"redisstore/lane.go", `l.subscribed && l.joined == l.subscriptions && `, `l.subscribed && `},
	}},
	{"no-chain", "a message is trusted whatever was before it", "redisstore", "TestOnlyAnUnbrokenChainIsTrusted", []edit{
		{"redisstore/lane.go", `case m.previous != l.applied || l.applied == (logTail{}):`, `case false:`},
	}},
	{"absent-tail-is-equal", "a message without a tail follows a state without one", "redisstore", "TestOnlyAnUnbrokenChainIsTrusted", []edit{
		{"redisstore/lane.go", `case m.previous != l.applied || l.applied == (logTail{}):`, `case m.previous != l.applied:`},
	}},
	{"publish-first", "in a cluster, the message goes out before the values are gone", "redisstore", "TestAMessageFollowsTheRemoval", []edit{
		{"redisstore/remote.go", "	if err = s.replicate(ctx, calls...); err != nil {\n		err = nil\n", "	s.publishOnly(ctx, s.newsOfKeys(keys).lanes(), s.announcements(ctx, s.newsOfKeys(keys)))\n	if err = s.replicate(ctx, calls...); err != nil {\n		err = nil\n"},
	}},
	{"wait-before-write", "replicas are waited for before a script that was lost is sent again", "redisstore", "TestReplicasAreWaitedForAfterTheScriptsWereLost", []edit{
		{"redisstore/deliver.go", `if c.wait && !slices.Contains(again, c) {`, `if false && !slices.Contains(again, c) {`},
	}},
	{"strict-on-one-server", "a linearizable load relies on an invalidation that replicas lack", "redisstore", "TestALinearizableReadSeesNothingThatAPromotionWouldUndo", []edit{
		{"aside/trip.go", `, Replicated: g.o.Linearizable`, ``},
	}},
	{"guard-after-read", "what is watched is watched from after the read of Redis", "redisstore", "TestAnInvalidationDuringAReadKeepsItOutOfMemory", []edit{
		{"redisstore/read.go", "	v.watch()\n	err := v.read(ctx)\n	s.space.reads.took(err)\n", "	err := v.read(ctx)\n	v.watch()\n	s.space.reads.took(err)\n"},
	}},
	{"lease-last", "a hit asks what was invalidated before it asks for the lease", "invalidation", "TestALeaseThatIsRenewedMeanwhileVouchesForNothingOlder", []edit{
		{"invalidation/guard.go", "	t := g.first.lane.trust(now)\n", "	stands := g.stands()\n	t := g.first.lane.trust(now)\n"},
		{"invalidation/guard.go", "	if !g.stands() {\n", "	if !stands {\n"},
	}},
	{"key-page-of-its-own", "the first watch of a key has counters that nobody else knows", "invalidation", "TestKeyCounts_KeysHaveTheCountersThatTheyHad", []edit{
		{"invalidation/keycounts.go", `		p = at.Load()`, `		p = new(keyCountPage)`},
	}},
	{"lease-from-reply", "the lease is dated from the reply", "redisstore", "TestALeaseIsDatedFromTheSendingOfItsBeat", []edit{
		{"redisstore/lane.go", `asked.at.Add(l.space.lease))`, `time.Now().Add(l.space.lease))`},
	}},
}
