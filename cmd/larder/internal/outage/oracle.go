package outage

import "sync/atomic"

// oracle knows, for each key, the newest version whose invalidation was
// acknowledged: what is older may not be read any more.
type oracle struct{ acknowledged []atomic.Uint64 }

func newOracle(keys int) *oracle { return &oracle{make([]atomic.Uint64, keys)} }

// due returns the oldest version that a read which begins now may give.
func (o *oracle) due(key uint64) uint64 { return o.acknowledged[key].Load() }

// acknowledge says that an invalidation has returned nil, which was called when a
// version was committed.
func (o *oracle) acknowledge(key, version uint64) {
	v := &o.acknowledged[key]
	for {
		old := v.Load()
		if old >= version || v.CompareAndSwap(old, version) {
			return
		}
	}
}
