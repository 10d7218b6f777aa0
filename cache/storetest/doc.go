// Package storetest is the contract of package cache as tests. Run checks a
// store against every rule; a test of a store of your own is a function that
// opens an empty one:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t testing.TB) storetest.Subject {
//			s := mystore.Open(t.TempDir())
//			t.Cleanup(func() { s.Close() })
//			return storetest.Subject{Store: s, InvalidateTags: s.InvalidateTags}
//		})
//	}
//
// A rule is a sentence and a check. It also has a mutant: the reference store
// with one mistake in it, which the check must find. A rule cannot be written
// without one.
//
// No rule depends on how fast a store is, and none asks for more than the
// contract says: a store may drop entries that have expired, refuse a fill of a
// key that already has a fresh value, and refuse late tags if other tags were
// invalidated meanwhile. It may not drop what it has just stored.
package storetest
