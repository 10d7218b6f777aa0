package memory

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
)

const (
	capacity = 100_000
	resident = 50_000
	space    = 1 << 20 // keys that are asked for
)

var (
	keys  [space]string
	value = make([]byte, 64)
	// zipf are places of keys, those that are asked for often spread over all.
	mild, steep []uint32
)

func init() {
	for i := range keys {
		keys[i] = fmt.Sprintf("key:%012d", i)
	}
	mild, steep = zipf(1.01), zipf(1.3)
}

func zipf(s float64) []uint32 {
	r := rand.New(rand.NewPCG(1, 2))
	z := rand.NewZipf(r, s, 1, space-1)
	places := r.Perm(space)
	out := make([]uint32, 1<<20)
	for i := range out {
		out[i] = uint32(places[z.Uint64()])
	}
	return out
}

// each runs a benchmark for all libraries.
func each(b *testing.B, f func(b *testing.B, s store)) {
	for _, l := range libraries {
		b.Run("lib="+l.name, func(b *testing.B) {
			s := l.open(capacity)
			f(b, s)
			runtime.KeepAlive(s)
		})
	}
}

var seeds atomic.Uint64

// parallel runs step, each goroutine from a place of its own.
func parallel(b *testing.B, goroutines int, step func(i uint32)) {
	b.ReportAllocs()
	if goroutines > 0 {
		b.SetParallelism(max(1, goroutines/runtime.GOMAXPROCS(0)))
	}
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := uint32(seeds.Add(0x9e3779b9)); pb.Next(); i++ {
			step(i)
		}
	})
}

func warm(s store, n int) {
	for i := range n {
		s.set(keys[i], value)
	}
}

func hits(b *testing.B, goroutines int) {
	each(b, func(b *testing.B, s store) {
		warm(s, resident)
		parallel(b, goroutines, func(i uint32) { s.get(keys[i*2654435761>>8%resident]) })
	})
}

func BenchmarkHit(b *testing.B)             { hits(b, 0) }
func BenchmarkHit64Goroutines(b *testing.B) { hits(b, 64) }

func BenchmarkHitOneKey(b *testing.B) {
	each(b, func(b *testing.B, s store) {
		warm(s, resident)
		parallel(b, 64, func(uint32) { s.get(keys[7]) })
	})
}

// mix reads, and writes what writes in a hundred say, over all keys.
func mix(b *testing.B, places []uint32, writes uint32) {
	each(b, func(b *testing.B, s store) {
		warm(s, capacity)
		parallel(b, 0, func(i uint32) {
			k := keys[places[i%uint32(len(places))]]
			if i*2246822519>>16%100 < writes {
				s.set(k, value)
			} else {
				s.get(k)
			}
		})
	})
}

func BenchmarkZipf(b *testing.B)      { mix(b, mild, 0) }
func BenchmarkSteepZipf(b *testing.B) { mix(b, steep, 5) }
func BenchmarkMix75(b *testing.B)     { mix(b, mild, 25) }
func BenchmarkMix50(b *testing.B)     { mix(b, mild, 50) }
func BenchmarkSet(b *testing.B)       { mix(b, mild, 100) }
