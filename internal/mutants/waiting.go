package main

// waiting breaks what fills that wait for the loads of others rely on.
var waiting = []mutant{
	{"expired-lock-mints", "who takes an expired lock makes a new token, and so refuses the load of the one who had it", "redisstore", "TestAnExpiredLockIsTakenWithTheSameToken", []edit{
		{scripts + "lock.lua", `  redis.call('SETRANGE', k, 17, locked(holder, life) .. (waits == '1' and '1' or '0'))
`, `  redis.call('SETRANGE', k, 1, nonce(holder))
  redis.call('SETRANGE', k, 17, locked(holder, life) .. '0')
`},
		{scripts + "acquire.lua", `      h = h .. lock(k, ARGV[3], life)
`, `      local left = lock(k, ARGV[3], life)
      h = header(k) .. left
`},
	}},
	{"waits-for-ever", "a fill waits as long as somebody else has the lock", "redisstore", "TestNobodyWaitsLongerThanLockWait", []edit{
		{"redisstore/lock.go", `s.lockWait - w.waited()`, `s.lockWait`},
	}},
	{"keeps-the-lock", "a fill that ends without storing keeps its lock", "redisstore", "TestAHolderThatCancelsLeavesNoLock", []edit{
		{"redisstore/fill.go", `	defer f.disown()
	f.unlock(ctx)
	return nil
`, `	defer f.disown()
	return nil
`},
	}},
	{"waits-with-a-lock", "a fill waits for others while others wait for it", "redisstore", "TestAFillWaitsOnlyIfOthersLoadAllOfIt", []edit{
		{"redisstore/lock.go", `		case sl.busy == 0 && (sl.found == nil || sl.found.Fresh <= now):
			return 0
`, `		case now == 0:
			return 0
`},
	}},
	{"wake-is-a-gap", "a message that wakes others is taken for one of the log", "redisstore", "TestOnlyAnUnbrokenChainIsTrusted", []edit{
		{"redisstore/lane.go", `		l.space.wakes.wake(hashes)
		return
`, `		l.space.wakes.wake(hashes)
`},
	}},
	{"found-before-the-wait", "what is found after a wait is judged by what was read before it", "redisstore", "TestWhatIsFoundAfterAWaitIsValidThen", []edit{
		{"redisstore/reserve.go", `	f.tags.take(tags)
	f.refreshed(`, `	if f.first == nil {
		f.first = tags
	}
	f.tags.take(f.first)
	f.refreshed(`},
		{"redisstore/fill.go", `	holder  string        // names the fill in locks
`, `	first   []*call
	holder  string        // names the fill in locks
`},
	}},
}
