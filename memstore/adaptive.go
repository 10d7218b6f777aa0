package memstore

import "sync/atomic"

// adaptive is queues whose window has the share that has proved best.
type adaptive struct {
	queues
	*common
	choice int32
}

func newAdaptive(capacity int, at residents, now *atomic.Uint32, c *common) *adaptive {
	a := &adaptive{common: c, choice: int32(len(shares) - 1)}
	a.init(capacity, at, now)
	return a
}

func (a *adaptive) add(slot, hash uint32) {
	a.trials.request(hash)
	if choice := a.trials.choice.Load(); choice != a.choice {
		a.choice = choice
		a.resize(a.capacity, shares[choice])
	}
	a.trials.count(hash, 1)
	before := a.now.Load()
	a.queues.add(slot, hash)
	if a.budget != 0 && a.now.Load() != before {
		a.trials.fit(int(float64(a.budget) * float64(a.count) / float64(a.inCore+a.inWindow)))
	}
}

func (a *adaptive) remove(slot uint32) {
	hash := a.at.hash(slot)
	a.trials.drop(hash)
	a.trials.count(hash, -1)
	a.queues.remove(slot)
}

func (a *adaptive) victim(next int) uint32 {
	slot := a.queues.victim(next)
	a.trials.count(a.at.hash(slot), -1)
	return slot
}

func (a *adaptive) forget(hash uint32) { a.trials.drop(hash) }
