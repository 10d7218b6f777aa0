package memstore

import "sync/atomic"

// miniature is a cache of hashes that has the order of a real one. It shows how
// many hits that would have.
type miniature struct {
	queues
	share  int
	score  int
	clock  atomic.Uint32
	marks  []atomic.Uint32 // by slot, as all that follow
	hashes []uint32
	after  []uint32 // in the bucket
	heads  []uint32 // buckets
	free   []uint32
}

// newMiniature returns one that may get larger by one in slack entries.
func newMiniature(capacity, slack, share int) *miniature {
	slots := capacity + capacity/slack
	m := &miniature{share: share, marks: make([]atomic.Uint32, slots), hashes: make([]uint32, slots), after: make([]uint32, slots)}
	n := 1
	for n < slots {
		n *= 2
	}
	m.heads = make([]uint32, n)
	for i := range m.heads {
		m.heads[i] = none
	}
	for slot := range uint32(slots) {
		m.free = append(m.free, uint32(slots)-1-slot)
	}
	m.queues.init(capacity, m, &m.clock)
	m.resize(capacity, share)
	return m
}

func (m *miniature) used(slot uint32) *atomic.Uint32 { return &m.marks[slot] }
func (m *miniature) hash(slot uint32) uint32         { return m.hashes[slot] }
func (m *miniature) weight(uint32) int               { return 1 }

func (m *miniature) head(hash uint32) *uint32 { return &m.heads[hash&uint32(len(m.heads)-1)] }

func (m *miniature) find(hash uint32) uint32 {
	slot := *m.head(hash)
	for slot != none && m.hashes[slot] != hash {
		slot = m.after[slot]
	}
	return slot
}

// request asks for a hash, and stores it if it is not there.
func (m *miniature) request(hash uint32) {
	if slot := m.find(hash); slot != none {
		m.score++
		if now := m.clock.Load(); m.marks[slot].Load()>>2 != now {
			hitIn(&m.marks[slot], now)
		}
		return
	}
	if m.count >= m.capacity {
		m.unlink(m.victim(1))
	}
	slot := m.free[len(m.free)-1]
	m.free = m.free[:len(m.free)-1]
	head := m.head(hash)
	m.hashes[slot], m.after[slot], *head = hash, *head, slot
	m.add(slot, hash)
}

// drop removes a hash that was invalidated.
func (m *miniature) drop(hash uint32) {
	if slot := m.find(hash); slot != none {
		m.remove(slot)
		m.unlink(slot)
	}
}

// fit sets a capacity.
func (m *miniature) fit(capacity int) {
	m.resize(capacity, m.share)
	for m.count > m.capacity {
		m.unlink(m.victim(0))
	}
}

func (m *miniature) unlink(slot uint32) {
	p := m.head(m.hashes[slot])
	for *p != slot {
		p = &m.after[*p]
	}
	*p = m.after[slot]
	m.free = append(m.free, slot)
}
