package cache

import (
	"context"
	"sync/atomic"
)

type bypassKey struct{}

// bypasses is true once the program has used Bypass, so that the reads of
// programs that do not need not search their contexts.
var bypasses atomic.Bool

// Bypass returns a context with which Loaders and Batches go to the origin, and
// neither read nor fill a cache nor share a load: what a transaction that is
// still open reads is not for others, and what others have stored is not what it
// would read.
func Bypass(ctx context.Context) context.Context {
	bypasses.Store(true)
	return context.WithValue(ctx, bypassKey{}, true)
}

// Bypassed reports whether ctx comes from Bypass. It costs one atomic load in a
// program that has never used Bypass.
func Bypassed(ctx context.Context) bool {
	return bypasses.Load() && ctx.Value(bypassKey{}) != nil
}
