package invalidation

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// pages returns how many there are.
func (k *keyCounts) pages() (n int) {
	for i := range k {
		if k[i].Load() != nil {
			n++
		}
	}
	return n
}

func TestKeyCounts_TakeMemoryAsKeysAreWatched(t *testing.T) {
	inUse := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	const n, most = 32, 64 << 10
	before := inUse()
	domains := make([]*Domain, n)
	for i := range domains {
		domains[i], _ = NewRemoteDomain(nil, RemoteOptions{Lanes: 1})
	}
	if each := (inUse() - before) / n; each > most {
		t.Errorf("a domain that knows no keys takes %d bytes, more than %d", each, most)
	}
	d, control := NewRemoteDomain(nil, RemoteOptions{Lanes: 16})
	for hash := range uint32(1000) {
		control.ExpireKeys(hash)
	}
	if p := d.keys.pages(); p != 0 {
		t.Errorf("the invalidations of keys that nobody watches take %d pages", p)
	}
	if d.WatchKey(7); d.keys.pages() != 1 {
		t.Errorf("a key that is watched takes %d pages", d.keys.pages())
	}
	for hash := range uint32(2 * keyStripes) {
		d.WatchKey(hash)
	}
	if d.keys.pages() != len(d.keys) {
		t.Errorf("%d of %d pages are used", d.keys.pages(), len(d.keys))
	}
	runtime.KeepAlive(domains)
}

func TestKeyCounts_KeysHaveTheCountersThatTheyHad(t *testing.T) {
	d, control := NewRemoteDomain(nil, RemoteOptions{Lanes: 16})
	for _, c := range []struct {
		hash, other uint32
		shared      bool
	}{
		{7, 7, true}, {7, 7 + keyStripes, true}, {7, 7 + keyPage, false}, {7, 8, false}, {keyStripes - 1, keyStripes, false},
	} {
		w := d.WatchKey(c.hash)
		g, ok := w.Guard(nil)
		if !ok {
			t.Fatalf("nothing was invalidated, and the guard of %d does not stand", c.hash)
		}
		control.ExpireKeys(c.other)
		if _, still := w.Guard(nil); still == c.shared || g.(*guard).stands() == c.shared {
			t.Errorf("an invalidation of %d is noticed by a watch of %d: %v", c.other, c.hash, !still)
		}
	}
}

// The page of a counter is made by whoever watches its first key.
func TestKeyCounts_AWatchNoticesAnInvalidationThatBeginsLater(t *testing.T) {
	for range 20 {
		d, control := NewRemoteDomain(nil, RemoteOptions{Lanes: 1})
		var watched, asked [keyStripes / keyPage]atomic.Bool
		var watches [keyStripes / keyPage]Watch
		var wg sync.WaitGroup
		wg.Go(func() {
			for page := range watches {
				watches[page] = d.WatchKey(uint32(page * keyPage))
				watched[page].Store(true)
			}
		})
		wg.Go(func() {
			for page := range watched {
				asked[page].Store(watched[page].Load())
				control.ExpireKeys(uint32(page * keyPage))
			}
		})
		wg.Go(func() {
			for page := range watches { // another key of the page
				d.WatchKey(uint32(page*keyPage + 1))
			}
		})
		wg.Wait()
		for page := range watches {
			if _, ok := watches[page].Guard(nil); ok && asked[page].Load() {
				t.Fatalf("the watch of page %d began before the invalidation and has not noticed it", page)
			}
		}
	}
}
