package policy

// lru is an exact LRU. Its list is two numbers for each id of the trace, cached
// or not, so that no request takes a look-up.
type lru struct {
	links    []link
	sizes    []uint32 // nil: all are 1
	capacity int64
	used     int64
}

// link is a place in a ring, in which the newest entry comes after the end and
// the oldest before it. The end has the number after the last id.
type link struct{ newer, older uint32 }

// absent is the neighbour of what is not cached.
const absent = ^uint32(0)

func newLRU(s Setup) Policy {
	l := &lru{links: make([]link, s.Unique+1), capacity: s.Capacity}
	for id := range l.links {
		l.links[id] = link{absent, absent}
	}
	end := l.end()
	l.links[end] = link{end, end}
	if s.Bytes {
		l.sizes = make([]uint32, s.Unique)
	}
	return l
}

func (l *lru) end() uint32 { return uint32(len(l.links) - 1) }

// Get implements Policy.
func (l *lru) Get(id uint32) bool {
	if l.links[id].newer == absent {
		return false
	}
	l.unlink(id)
	l.linkFirst(id)
	return true
}

// Put implements Policy. What is larger than the cache is not stored.
func (l *lru) Put(id, size uint32) {
	l.Drop(id)
	if l.sizes == nil {
		size = 1
	} else if int64(size) > l.capacity {
		return
	} else {
		l.sizes[id] = size
	}
	for l.used += int64(size); l.used > l.capacity; {
		l.Drop(l.links[l.end()].newer)
	}
	l.linkFirst(id)
}

// Drop implements Policy.
func (l *lru) Drop(id uint32) {
	if l.links[id].newer == absent {
		return
	}
	l.unlink(id)
	l.links[id] = link{absent, absent}
	if l.sizes == nil {
		l.used--
	} else {
		l.used -= int64(l.sizes[id])
	}
}

func (l *lru) unlink(id uint32) {
	at := l.links[id]
	l.links[at.newer].older = at.older
	l.links[at.older].newer = at.newer
}

func (l *lru) linkFirst(id uint32) {
	end := l.end()
	newest := l.links[end].older
	l.links[id] = link{newer: end, older: newest}
	l.links[newest].newer = id
	l.links[end].older = id
}
