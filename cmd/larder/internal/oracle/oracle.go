// Package oracle knows what may be read: for each key, the newest version that was
// acknowledged.
package oracle

import "sync/atomic"

// Oracle has the newest version of each key whose write, or invalidation, has returned
// nil: what is older may not be read any more. Its methods may be called at once from
// many goroutines.
type Oracle []atomic.Uint64

// New returns an Oracle of keys from 0 on, of which nothing was acknowledged.
func New(keys int) Oracle { return make(Oracle, keys) }

// Due returns the oldest version that a read which begins now may give.
func (o Oracle) Due(key uint64) uint64 { return o[key].Load() }

// Acknowledge says that a version was acknowledged. An older one changes nothing.
func (o Oracle) Acknowledge(key, version uint64) {
	v := &o[key]
	for old := v.Load(); old < version && !v.CompareAndSwap(old, version); old = v.Load() {
	}
}
