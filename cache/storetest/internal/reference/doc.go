// Package reference is the simplest store that keeps the contract of package
// cache, one mutex and maps, together with every mistake against which
// storetest guards. It forgets nothing that was invalidated, and is for tests.
package reference
