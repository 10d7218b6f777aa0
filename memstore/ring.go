package memstore

// ring is the order of use, more or less. A hand goes round over the slots: an
// entry that was used since the hand passed it last stays, another one leaves
// (F. J. Corbató, A Paging Experiment with the Multics System, 1968). It costs
// nothing beyond the slots.
type ring struct {
	at      residents
	size    uint32 // slots that were ever taken
	hand    uint32
	vacated uint32 // the slot that the hand has just passed
	newest  uint32 // the slot that was filled last
	count   int
}

func newRing(at residents) *ring { return &ring{at: at, vacated: none, newest: none} }

// add counts an entry that fills a hole as used: the hand may be just before it.
func (r *ring) add(slot, _ uint32) {
	switch slot {
	case r.vacated:
	case r.size:
		r.size++
	default:
		r.at.used(slot).Store(hitOnce)
	}
	r.vacated, r.newest = none, slot
	r.count++
}

func (r *ring) remove(uint32)           { r.count-- }
func (r *ring) grow(slot uint32, _ int) { r.newest = slot }
func (r *ring) forget(uint32)           {}

func (r *ring) victim(next int) uint32 {
	for {
		slot := r.hand
		if r.hand++; r.hand == r.size {
			r.hand = 0
		}
		if next == 0 && slot == r.newest && r.count > 1 {
			continue
		}
		if used := r.at.used(slot); used != nil && used.Swap(0) == 0 {
			r.vacated = slot
			r.count--
			return slot
		}
	}
}

func (r *ring) slots() []uint32 {
	var taken []uint32
	for i := range r.size {
		if slot := (r.hand + i) % r.size; r.at.used(slot) != nil {
			taken = append(taken, slot)
		}
	}
	return taken
}
