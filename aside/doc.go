// Package aside decorates a function that reads from the origin, so that it is
// asked for a key only if no cache has it: cache-aside.
//
//	users := aside.New(store, repo.UserByID, invalidation.TTL(5*time.Minute), nil)
//	u, err := users.Get(ctx, 42) // the signature of repo.UserByID
//
// A cache that cannot be asked is not the caller's problem: the origin is asked
// instead, and the Observer told. When the origin cannot be asked either, values past
// their time can help: see invalidation.Policy, of which IfError, Backoff and Early
// are what to set, and Limits. Only the origin's own errors come back,
// untouched; to these the package adds those of the caller's context,
// *cache.PanicError for a load function that panicked, cache.ErrLoadTimeout for one
// that took too long, cache.ErrOverloaded for a load that Limits refuse, and
// cache.ErrClosed after Close of the Loader, the Batch or the store. Two options of the user's change
// that: a store that refuses to serve from memory while it is apart from its
// servers gives cache.ErrApart, and a Loader that is Linearizable returns the
// errors of the store. Lookup adds those of what one caller wishes, such as
// cache.ErrNotCached.
package aside
