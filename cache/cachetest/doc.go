// Package cachetest helps to test code that uses a cache: stores that fail in
// the ways of a network, several processes on one bus within a test, a Recorder
// that fails the test when a read is older than it may be, RoundTrip for values that
// a codec gives back as others, Unchanged for shared values that somebody changes,
// an Observer that keeps what it is told, and a check
// for goroutines that are left.
//
// All times go by package time, so tests in a bubble of testing/synctest take no
// real time.
//
//	func TestOurRepository(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			net := cachetest.NewNetwork(t, nil)
//			rows := memstore.New[int, User](net.Server, 1000, nil)
//			a, b := net.Join(), net.Join()
//			repoA := shop.NewRepo(cachetest.Shared(a, "users", rows), a.Domain)
//			repoB := shop.NewRepo(cachetest.Shared(b, "users", rows), b.Domain)
//			net.SetBus(cachetest.Bus{Drop: 0.3, Delay: 50 * time.Millisecond})
//			...
//		})
//	}
package cachetest
