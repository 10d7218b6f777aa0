package memstore

import "sync/atomic"

const (
	// generations of entries are told apart. A generation is the time in which a
	// part of the capacity is filled.
	generations    = 32
	generationPart = 16
	// generationBits are those that a mark has for a generation.
	generationBits = 1<<30 - 1
	// core is the list after those of the generations.
	core = generations
	// patience is how many entries are moved on before one of them has to leave.
	patience = 128
	// sweep is for how many victims one entry of the core is looked at, even if none
	// has to leave it: what is not used any more would stay for ever.
	sweep = 32
)

// queues keeps entries in a window, in the order in which they came or were used,
// and a core, of those that were used in the window or soon after they had left it.
// What leaves the window without having been used leaves the store; the entry that
// entered the core first leaves it if it was not used since it was looked at last.
// These are the two queues and the ghosts of S3-FIFO (J. Yang et al., FIFO Queues
// are All You Need for Cache Eviction, 2023), but the core is filled first.
//
// If the window is all of the capacity there is no core. Then the window is an LRU
// of generations: an entry that was used goes to the list of the generation in which
// it was used last, when it is found in an older one (as Linux does with pages,
// Multi-Gen LRU, 2022).
//
// It costs nine bytes a slot, and two to four for a ghost.
type queues struct {
	at               residents
	capacity, target int // of all, and of the window
	recency          bool
	now              *atomic.Uint32 // the generation
	oldest           uint32         // that may have a list
	filled           int            // weight in this generation
	lists            [generations + 1]list
	links            []link // by slot
	in               []uint8
	inWindow, inCore int // weights
	count            int
	newest           uint32
	left             int // victims since the core was looked at
	ghosts           ghosts
}

// list is one of slots; the last one leaves first.
type list struct{ first, last uint32 }

type link struct{ before, after uint32 }

func (q *queues) init(capacity int, at residents, now *atomic.Uint32) {
	*q = queues{at: at, now: now, newest: none}
	for i := range q.lists {
		q.lists[i] = list{none, none}
	}
	now.Store(1)
	q.oldest = 1
	q.resize(capacity, everything)
}

// everything is the share of the window that makes an LRU of all.
const everything = 100

// resize sets the capacity and the share of the window, in percent.
func (q *queues) resize(capacity, share int) {
	q.capacity, q.recency = capacity, share == everything
	q.target = max(1, capacity/100*share+capacity%100*share/100)
}

func (q *queues) push(slot uint32, to uint8) {
	l := &q.lists[to]
	q.links[slot], q.in[slot] = link{none, l.first}, to
	if l.first != none {
		q.links[l.first].before = slot
	} else {
		l.last = slot
	}
	l.first = slot
	q.weigh(slot, 1)
}

func (q *queues) pull(slot uint32) {
	l, k := &q.lists[q.in[slot]], q.links[slot]
	if k.before != none {
		q.links[k.before].after = k.after
	} else {
		l.first = k.after
	}
	if k.after != none {
		q.links[k.after].before = k.before
	} else {
		l.last = k.before
	}
	q.weigh(slot, -1)
}

func (q *queues) weigh(slot uint32, sign int) {
	q.count += sign
	q.shift(slot, sign*q.at.weight(slot))
}

func (q *queues) grow(slot uint32, by int) {
	q.newest = slot
	q.shift(slot, by)
}

func (q *queues) shift(slot uint32, by int) {
	if q.in[slot] == core {
		q.inCore += by
	} else {
		q.inWindow += by
	}
}

func (q *queues) add(slot, hash uint32) {
	if int(slot) >= len(q.links) {
		q.links, q.in = append(q.links, link{}), append(q.in, 0)
		q.ghosts.grow(len(q.links))
	}
	q.pass(q.at.weight(slot))
	now := q.now.Load()
	q.at.used(slot).Store(now << 2)
	q.newest = slot
	if q.ghosts.take(hash) && !q.recency {
		q.push(slot, core)
	} else {
		q.push(slot, uint8(now%generations))
	}
}

// pass lets the time go on in which a weight is filled.
func (q *queues) pass(weight int) {
	part := max(1, q.capacity/generationPart)
	q.filled += min(weight, q.capacity)
	for ; q.filled >= part; q.filled -= part {
		now := (q.now.Load() + 1) & generationBits
		q.now.Store(now)
		if (now-q.oldest)&generationBits == generations {
			q.merge()
		}
	}
}

// merge puts what is in the oldest generation at the end of the next.
func (q *queues) merge() {
	next := (q.oldest + 1) & generationBits
	from, to := &q.lists[q.oldest%generations], &q.lists[next%generations]
	for slot := from.first; slot != none; slot = q.links[slot].after {
		q.in[slot] = uint8(next % generations)
	}
	switch {
	case to.last == none:
		*to = *from
	case from.first != none:
		q.links[to.last].after, q.links[from.first].before = from.first, to.last
		to.last = from.last
	}
	*from = list{none, none}
	q.oldest = next
}

// remove remembers what is worth it, as it may have left because it changes.
func (q *queues) remove(slot uint32) {
	if q.in[slot] == core || q.at.used(slot).Load()&3 > 0 {
		q.ghosts.add(q.at.hash(slot))
	}
	q.pull(slot)
}

// tail returns the end of the window, none if that is empty.
func (q *queues) tail() uint32 {
	for now := q.now.Load(); q.oldest != now && q.lists[q.oldest%generations].last == none; {
		q.oldest = (q.oldest + 1) & generationBits
	}
	return q.lists[q.oldest%generations].last
}

// later reports whether generation a comes after b.
func later(a, b uint32) bool { return int32((a-b)<<2) > 0 }

func (q *queues) victim(next int) uint32 {
	q.left++
	for patient := patience; ; patient-- {
		slot := q.choose(next, patient > 0)
		wasCore, used := q.in[slot] == core, q.at.used(slot).Load()
		q.pull(slot)
		to, stays := uint8(core), false
		switch {
		case q.recency:
			to = uint8(used >> 2 % generations)
			stays = later(used>>2, q.oldest)
		case wasCore:
			stays = used&3 > 0
			used -= min(1, used&3) // a hit meanwhile is lost
		default:
			stays = used&3 > 0 || q.inCore < q.capacity-q.target
			used &^= 3
		}
		spared := next == 0 && slot == q.newest && q.count > 0
		if !spared && (!stays || patient <= 0) || patient < -patience {
			if !wasCore || q.recency {
				q.ghosts.add(q.at.hash(slot))
			}
			return slot
		}
		if !q.recency {
			q.at.used(slot).Store(used)
		}
		q.push(slot, to)
	}
}

// choose returns the slot to look at: the end of the window or that of the core.
func (q *queues) choose(next int, patient bool) uint32 {
	tail, last := q.tail(), q.lists[core].last
	switch {
	case tail == none:
		return last
	case last == none:
		return tail
	case q.recency && patient, !q.recency && q.inWindow+next <= q.target:
		return last
	case q.left >= sweep:
		q.left = 0
		return last
	}
	return tail
}

func (q *queues) slots() []uint32 {
	taken := make([]uint32, 0, q.count)
	for i := range uint32(generations + 1) {
		l := q.lists[core]
		if i < generations {
			l = q.lists[(q.oldest+i)%generations]
		}
		for slot := l.last; slot != none; slot = q.links[slot].before {
			taken = append(taken, slot)
		}
	}
	return taken
}
