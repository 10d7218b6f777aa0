package memstore

import (
	"math"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Parts of the capacity, as in golang-lru's own 2Q.
const (
	recentPart = 4 // one in so many entries may be there for the first time
	ghostPart  = 2 // and one key for so many entries is remembered
)

// twoQueue is 2Q on the lists of golang-lru. Hits only mark an entry, so it is
// when an entry is at the end of its list that it is found to have been used:
// then it goes to the front of the list of those that are used often.
type twoQueue struct {
	at               residents
	capacity         int
	recent, frequent *simplelru.LRU[uint32, struct{}]
	weight           int                              // of recent
	ghosts           *simplelru.LRU[uint32, struct{}] // hashes of what has left recent
	newest           uint32
}

func newTwoQueue(capacity int, at residents) *twoQueue {
	list := func() *simplelru.LRU[uint32, struct{}] {
		l, _ := simplelru.NewLRU[uint32, struct{}](math.MaxInt, nil)
		return l
	}
	return &twoQueue{at: at, capacity: capacity, recent: list(), frequent: list(), ghosts: list(), newest: none}
}

func (q *twoQueue) add(slot, hash uint32) {
	q.newest = slot
	if q.ghosts.Remove(hash) {
		q.frequent.Add(slot, struct{}{})
		return
	}
	q.recent.Add(slot, struct{}{})
	q.weight += q.at.weight(slot)
}

func (q *twoQueue) remove(slot uint32) {
	if q.recent.Remove(slot) {
		q.weight -= q.at.weight(slot)
		return
	}
	q.frequent.Remove(slot)
}

func (q *twoQueue) grow(slot uint32, by int) {
	q.newest = slot
	if q.recent.Contains(slot) {
		q.weight += by
	}
}

func (q *twoQueue) forget(uint32) {}

func (q *twoQueue) victim(next int) uint32 {
	for {
		slot, first := q.choose(next)
		q.remove(slot)
		spared := next == 0 && slot == q.newest && q.recent.Len()+q.frequent.Len() > 0
		if q.at.used(slot).Swap(0) != 0 || spared {
			q.frequent.Add(slot, struct{}{})
			continue
		}
		if first {
			q.ghosts.Add(q.at.hash(slot), struct{}{})
		}
		for q.ghosts.Len() > 1+(q.recent.Len()+q.frequent.Len())/ghostPart {
			q.ghosts.RemoveOldest()
		}
		return slot
	}
}

// choose returns the end of one of the lists, and whether it is recent.
func (q *twoQueue) choose(next int) (slot uint32, first bool) {
	slot, _, ok := q.recent.GetOldest()
	often, _, more := q.frequent.GetOldest()
	if ok && (!more || q.weight+next > max(1, q.capacity/recentPart) || next == 0 && often == q.newest) {
		return slot, true
	}
	return often, false
}

func (q *twoQueue) slots() []uint32 { return append(q.recent.Keys(), q.frequent.Keys()...) }
