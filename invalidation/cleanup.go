package invalidation

import (
	"runtime"
	"weak"
)

// place is where a cell is in the table. It must not lead to the cell, which
// would keep that alive.
type place struct {
	shard *shard
	tag   string
	was   weak.Pointer[cell]
}

// track has the cell's place in the table removed when nothing depends on the
// cell any more.
func track(c *cell, s *shard, tag string) {
	runtime.AddCleanup(c, place.remove, place{s, tag, s.cells[tag]})
}

func (p place) remove() {
	p.shard.mu.Lock()
	defer p.shard.mu.Unlock()
	if p.shard.cells[p.tag] == p.was { // otherwise the tag has a new cell
		delete(p.shard.cells, p.tag)
	}
}
