// Package redistest gives tests real Redis servers.
//
// Standalone and Cluster are shared by the tests of a binary and are started
// when the first one asks. They hold the keys of all of them: a test prefixes
// its own, with t.Name() for instance, and does not stop, pause or flush the
// server. A test that must, has a Private one. A package that shares servers
// has
//
//	func TestMain(m *testing.M) { os.Exit(redistest.Main(m)) }
//
// Without it there is nobody to stop a shared server after the tests, and each
// test that asks gets one of its own.
//
// On a machine without a server, tests fail and say what to install. They are
// not skipped: a run that passes has tested everything.
package redistest
