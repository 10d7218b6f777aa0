package main

// masters breaks what is promised while one of several servers does not answer, and of
// operations that are too large for one trip.
var masters = []mutant{
	{"one-breaker-for-all", "a master that does not answer keeps readers from the others", "redisstore", "TestBreaker_OneMasterOfACluster", []edit{
		{"redisstore/servers.go", "	return v.at(s, master.Options().Addr, key), nil", "	return v.at(s, s.ns+master.Options().Addr[:0], key), nil"},
		{"redisstore/observed.go", "h.space.servers.at(h.space, h.addr, key)", "h.space.servers.at(h.space, h.space.ns, key)"},
	}},
	{"probes-by-readers", "nobody probes while nobody reads", "redisstore", "TestBreaker_OneMasterOfACluster", []edit{
		{"redisstore/probe.go", "		case <-timer.C:\n", "		case <-make(chan struct{}):\n"},
		{"redisstore/probe.go", "	if !b.open.Load() {\n		return\n	}\n	select {", "	return\n	select {"},
	}},
	{"one-slow-master-for-all", "what one master has answered is forgotten when another does not answer", "redisstore", "TestBreaker_OneMasterOfACluster", []edit{
		{"redisstore/client.go", "	if !ok || len(calls) == 1 {\n		return [][]*call{calls}", "	if ok = false; !ok || len(calls) == 1 {\n		return [][]*call{calls}"},
	}},
	{"lost-tag-is-a-miss", "a value whose tags could not be read is taken for a miss", "redisstore", "TestBreaker_OneMasterOfACluster", []edit{
		{"redisstore/admit.go", "at < 0 || at >= v.readT || v.lost[dest{toTag, at}]", "at < 0"},
	}},
	{"failed-call-shifts", "what a script says of some keys is taken for others, when a call has failed", "redisstore", "TestLarge_PartsSucceedByThemselves", []edit{
		{"redisstore/writeparts.go", "			n := int64(notDone)\n			if len(got) == len(part.call.keys) {\n				n = got[i]\n			}\n			done = append(done, n)\n		}\n	}\n	return done\n", "			if len(got) == len(part.call.keys) {\n				done = append(done, got[i])\n			}\n		}\n	}\n	n := 0\n	for _, part := range p {\n		n += part.n\n	}\n	for len(done) < n {\n		done = append(done, notDone)\n	}\n	return done\n"},
	}},
	{"one-trip-for-all", "any number of keys goes in one trip", "redisstore", "TestLarge_OperationsGoInTripsOfBoundedSize", []edit{
		{"redisstore/trips.go", "i > first && (keys+n >= tripKeys", "false && (keys+n >= tripKeys"},
	}},
	{"retries-give-up", "one invalidation that fails keeps others from being repeated", "invalidation", "TestRetries_WhatFailsKeepsNothingElseBack", []edit{
		{"invalidation/retries.go", "leftKeys, leftTags := unfinished(err, keys, tags)", "leftKeys, leftTags := keys, tags"},
	}},
}
