package workload

import "math/rand/v2"

// scatter maps ranks to keys one to one, so that popular keys do not lie side
// by side.
type scatter struct{ n, step, offset uint64 }

func newScatter(rng *rand.Rand, n int) scatter {
	s := scatter{n: uint64(n), offset: rng.Uint64N(uint64(n))}
	for s.step = 1 + rng.Uint64N(s.n); divisor(s.step, s.n) != 1; {
		s.step++
	}
	return s
}

// key returns rank*step+offset modulo n. A step that has no divisor in common
// with n meets every key.
func (s scatter) key(rank int) uint32 {
	return uint32((uint64(rank)*s.step + s.offset) % s.n)
}

func divisor(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
