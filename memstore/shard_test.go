package memstore

import (
	"math/bits"
	"runtime"
	"testing"
)

func TestTheShardsTogetherHoldExactlyTheCapacity(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, processors := range []int{1, 2, 3, 16} {
		runtime.GOMAXPROCS(processors)
		for _, capacity := range []int{1, 2, 3, 1023, 1024, 1025, 2049, 10_007, 100_000, 1<<20 + 7} {
			s := New[int, int](nil, capacity, nil)
			n, sum := len(s.shards), 0
			for i := range s.shards {
				sum += s.shards[i].capacity
			}
			switch {
			case sum != capacity:
				t.Errorf("%d processors: %d shards hold %d, not %d", processors, n, sum, capacity)
			case bits.OnesCount(uint(n)) != 1 || n > 1 && capacity <= 1024 || n > 32*processors:
				t.Errorf("%d processors, capacity %d: %d shards", processors, capacity, n)
			}
		}
	}
}
