package main

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// history is what readers and writers of prices have seen, with a clock that
// ticks before and after each operation. Every price is written once.
type history struct {
	clock atomic.Int64

	mu     sync.Mutex
	writes map[int64][]span // by product
	reads  map[int64][]span
}

// span is a price that was written or read, and when.
type span struct{ price, begin, end int64 }

// tick returns the next moment.
func (h *history) tick() int64 { return h.clock.Add(1) }

func (h *history) wrote(id int64, s span) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writes == nil {
		h.writes, h.reads = map[int64][]span{}, map[int64][]span{}
	}
	h.writes[id] = append(h.writes[id], s)
}

func (h *history) read(id int64, s span) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads[id] = append(h.reads[id], s)
}

// violations returns the reads that no order of the operations explains: of a
// price that was not written yet, or that was written before another write which
// was acknowledged when the read began.
func (h *history) violations() (found []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, reads := range h.reads {
		writes := slices.SortedFunc(slices.Values(h.writes[id]), func(a, b span) int { return int(a.end - b.end) })
		byPrice := map[int64]span{}
		// newest[i] is when the one of the first i writes began that began last.
		newest := make([]int64, len(writes)+1)
		newest[0] = math.MinInt64
		for i, w := range writes {
			byPrice[w.price] = w
			newest[i+1] = max(newest[i], w.begin)
		}
		for _, r := range reads {
			w, written := byPrice[r.price]
			acknowledged, _ := slices.BinarySearchFunc(writes, r.begin, func(w span, at int64) int { return int(w.end - at) })
			switch {
			case !written || w.begin > r.end:
				found = append(found, fmt.Sprintf("product %d: %+v read what was not written", id, r))
			case w.end < newest[acknowledged]:
				found = append(found, fmt.Sprintf("product %d: %+v read %+v, although a write that began at %d was acknowledged", id, r, w, newest[acknowledged]))
			}
		}
	}
	return found
}

func TestTheHistoryFindsWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		read span
		bad  bool
	}{
		"the last one":                     {span{3, 10, 11}, false},
		"the one before":                   {span{2, 10, 11}, true},
		"the one before, begun in time":    {span{2, 7, 11}, false},
		"either of two at the same time":   {span{1, 5, 6}, false},
		"the first, after both of the two": {span{0, 5, 6}, true},
		"the first, before one of the two": {span{0, 3, 6}, false},
		"what is being written":            {span{3, 5, 9}, false},
		"what is to be written":            {span{3, 5, 6}, true},
		"what nobody writes":               {span{4, 10, 11}, true},
	} {
		h := &history{}
		for _, w := range []span{{0, -2, -1}, {1, 1, 4}, {2, 2, 3}, {3, 7, 8}} {
			h.wrote(1, w)
		}
		h.read(1, c.read)
		if got := h.violations(); len(got) > 0 != c.bad {
			t.Errorf("%s: %q", name, got)
		}
	}
}
