// Package writethrough decorates functions that write to the origin, so that
// the cache has the new value as soon as the origin has it, and never the old
// one after it.
//
//	save := writethrough.New(store, User.Key, repo.SaveUser, policy, nil)
//	u, err := save.Write(ctx, u) // the signature of repo.SaveUser
//
// While the origin is written, readers of the key go to the origin. What the
// origin has accepted is never reported as failed: if the cache could not be
// told, the error is a *cache.PostCommitError beside the value.
package writethrough
