package memstore

// ghosts remembers the hashes of entries that have left: as many as there are
// slots for, about, and the last ones. A bucket has four fingerprints of 16 bits,
// the newest in the lowest; a hash that was never added is found in 1 of 16,000
// cases. It costs two bytes a hash.
type ghosts []uint64

// grow makes room for n hashes. What was in a bucket is then in two: one of them is
// wrong, and does no harm.
func (g *ghosts) grow(n int) {
	if len(*g) == 0 {
		*g = make(ghosts, 1)
	}
	for 4*len(*g) < n {
		*g = append(*g, *g...)
	}
}

func (g ghosts) place(hash uint32) (bucket *uint64, print uint64) {
	return &g[hash&uint32(len(g)-1)], max(1, uint64(hash>>16))
}

func (g ghosts) add(hash uint32) {
	b, print := g.place(hash)
	*b = *b<<16 | print
}

// take reports whether a hash is remembered, and forgets it.
func (g ghosts) take(hash uint32) bool {
	b, print := g.place(hash)
	for i := 0; i < 64; i += 16 {
		if *b>>i&0xffff == print {
			newer := uint64(1)<<i - 1
			*b = *b&newer | *b>>16&^newer
			return true
		}
	}
	return false
}
