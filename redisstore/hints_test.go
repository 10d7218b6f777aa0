package redisstore

import (
	"fmt"
	"sync"
	"testing"
	"time"
	"unsafe"
)

func TestHints_TakeMemoryAsTheyLearn(t *testing.T) {
	h := newHints()
	if size := unsafe.Sizeof(*h); size > 8<<10 {
		t.Errorf("hints that know nothing take %d bytes", size)
	}
	pages := func() (n int) {
		for i := range h.pages {
			if h.pages[i].Load() != nil {
				n++
			}
		}
		return n
	}
	if h.get("k") != noHint || pages() != 0 {
		t.Errorf("a key that nobody has seen takes %d pages", pages())
	}
	h.took("k", time.Second)
	if h.get("k").cost != time.Second || pages() != 1 {
		t.Errorf("the first hint is %+v, with %d pages", h.get("k"), pages())
	}
}

func TestHints_AreRememberedFromManyGoroutines(t *testing.T) {
	h := newHints()
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				h.put(fmt.Sprint("key-", g, "-", i), []string{"tag"}, "")
			}
		})
	}
	wg.Wait()
	known := 0
	for g := range 4 {
		for i := range 2000 {
			if h.get(fmt.Sprint("key-", g, "-", i)) != noHint {
				known++
			}
		}
	}
	if known < 7900 { // of 65,536 places, in sets of four
		t.Errorf("%d of 8000 keys are remembered", known)
	}
}
