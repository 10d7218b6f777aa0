package main

// primary are the rules about which server answers.
var primary = []mutant{
	{"reads-unproven", "what a server answers that is no primary any more counts", "redisstore", "TestSwitch_WithoutABusADemotedPrimaryIsNotReadEither", []edit{
		{"redisstore/proof.go", `if s.lanes == 1 && wantsProof(calls) {`, `if false {`},
		{"redisstore/proof.go", `if err := proof.Err(); refutes(err) {`, `if err := proof.Err(); false && refutes(err) {`},
	}},
	{"old-connections-stay", "connections to a server that another has replaced are used on", "redisstore", "TestSwitch_TheFirstConnectionToAnotherServerEndsThoseToTheOneBefore", []edit{
		{"redisstore/incarnation.go", "	s.switches.Add(1)\n	s.cutOff(addr)\n	return errSwitch", "	return nil"},
	}},
	{"replica-accepted", "a replica is taken for a primary", "redisstore", "TestOpen_AReplicaIsRefused", []edit{
		{"redisstore/incarnation.go", `if id.replica && s.lanes == 1 {`, `if false {`},
		{"redisstore/connect.go", `return s.isReplica()`, `return nil`},
	}},
	{"restart-unnoticed-without-info", "a user who may not call INFO does not notice that a server was restarted", "redisstore", "TestARestartFromAnOldSnapshotIsRepaired", []edit{
		{"redisstore/incarnation.go", `if len(there) != 1 || !there[0] || run == "" {`, `if len(there) != 1 || run == "" {`},
	}},
	{"refused-for-good", "who was refused for other settings stays so", "redisstore", "TestSettings_WhoWasRefusedIsNoMoreWhenTheyAreRightAgain", []edit{
		{"redisstore/settings.go", "		a.refused.Store(nil)\n", ""},
	}},
	{"refused-writes", "who is refused for other settings keeps them alive", "redisstore", "TestSettings_ThoseOfProcessesThatAreGoneAreReplaced", []edit{
		{scripts + "agree.lua", `if theirs ~= dead or last ~= sign then return {theirs, last} end`, `if theirs ~= dead or last ~= sign then redis.call('HINCRBY', lane, 'refused', 1) return {theirs, last} end`},
	}},
	{"databases-share-a-channel", "what is invalidated in one database of a server leaves the memory of another", "redisstore", "TestTwoDatabasesOfAServerDoNotWipeEachOthersMemory", []edit{
		{"redisstore/listen.go", `if s.db != 0 {`, `if false {`},
	}},
}
