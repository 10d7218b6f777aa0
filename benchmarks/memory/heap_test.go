package memory

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

const million = 1_000_000

// heap returns what is reachable, in bytes and in objects, as soon as that hardly
// changes any more: what has a finalizer, is in a pool, or is held by a
// timer, takes several collections to go.
func heap() (bytes, objects float64) {
	var m runtime.MemStats
	for i := range 10 {
		before := float64(m.HeapAlloc)
		time.Sleep(10 * time.Millisecond)
		runtime.GC()
		runtime.ReadMemStats(&m)
		if i >= 3 && math.Abs(float64(m.HeapAlloc)-before) < before/10_000 {
			break
		}
	}
	return float64(m.HeapAlloc), float64(m.HeapObjects)
}

// weigh fills a store with n entries, of keys of 16 bytes and values of 64, and
// returns what each that it kept costs, the key and the value included.
func weigh(l library, n int) (bytes, objects float64) {
	bytesBefore, objectsBefore := heap()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // to be done sooner
	s := l.open(n)
	for i := range n {
		s.set(fmt.Sprintf("key:%012d", i), make([]byte, 64))
		if i%1000 == 999 {
			settle(s)
		}
	}
	settle(s)
	bytes, objects = heap()
	kept := 0
	for i := range n {
		if _, ok := s.get(key(uint32(i))); ok {
			kept++
		}
	}
	discard(s)
	return (bytes - bytesBefore) / float64(kept), (objects - objectsBefore) / float64(kept)
}

// BenchmarkHeap is to be run with -benchtime=1x: its time means nothing.
func BenchmarkHeap(b *testing.B) {
	for _, l := range libraries {
		b.Run("lib="+l.name, func(b *testing.B) {
			var bytes, objects float64
			for b.Loop() {
				bytes, objects = weigh(l, million)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(bytes, "B/entry")
			b.ReportMetric(objects, "objects/entry")
		})
	}
}

// 80 bytes are the key and the value alone, in two objects.
func TestAnEntryCostsMoreThanItsBytes(t *testing.T) {
	for _, l := range libraries {
		if bytes, objects := weigh(l, 5000); bytes < 80 || bytes > 2000 || objects < 0.9 {
			t.Errorf("%s: %.0f bytes and %.1f objects an entry", l.name, bytes, objects)
		}
	}
}
