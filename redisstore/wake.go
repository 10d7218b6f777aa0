package redisstore

import (
	"context"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

// wakeMark begins a message to those who wait for the loads of others. It is
// followed by the Hashes of keys, in 4 bytes each. A message of a lane's log begins
// with the length of a tail, which is shorter.
//
// Such a message is not part of the log: if it is lost, somebody waits longer.
const wakeMark = 0xff

func wakeMessage(hashes []uint32) string {
	b := append(make([]byte, 0, 1+4*len(hashes)), wakeMark)
	for _, h := range hashes {
		b = binary.BigEndian.AppendUint32(b, h)
	}
	return string(b)
}

// parseWake returns the hashes of a wakeMessage, or says that it is none.
func parseWake(raw string) (hashes []uint32, ok bool) {
	if len(raw) < 5 || raw[0] != wakeMark || (len(raw)-1)%4 != 0 {
		return nil, false
	}
	hashes = make([]uint32, 0, (len(raw)-1)/4)
	for rest := bytesOf(raw[1:]); len(rest) > 0; rest = rest[4:] {
		hashes = append(hashes, binary.BigEndian.Uint32(rest))
	}
	return hashes, true
}

// wakes is who waits, in this process, for keys that others load.
type wakes struct {
	mu    sync.Mutex
	waits map[uint32][]chan struct{} // by the Hash of the key
	// heard counts the wakes of keys, by a part of their hashes: who did not wait
	// yet when one came sees it by the number.
	heard [256]atomic.Uint32
}

// count returns a number that is another after a wake of one of the keys.
func (w *wakes) count(hashes []uint32) (n uint32) {
	for _, h := range hashes {
		n += w.heard[h%uint32(len(w.heard))].Load()
	}
	return n
}

// add has woken be sent something at each wake of one of the keys.
func (w *wakes) add(hashes []uint32, woken chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waits == nil {
		w.waits = map[uint32][]chan struct{}{}
	}
	for _, h := range hashes {
		w.waits[h] = append(w.waits[h], woken)
	}
}

func (w *wakes) remove(hashes []uint32, woken chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, h := range hashes {
		left := slices.DeleteFunc(w.waits[h], func(c chan struct{}) bool { return c == woken })
		if w.waits[h] = left; len(left) == 0 {
			delete(w.waits, h)
		}
	}
}

// wake wakes all who wait for keys.
func (w *wakes) wake(hashes []uint32) {
	for _, h := range hashes { // before the list is looked at: see wait
		w.heard[h%uint32(len(w.heard))].Add(1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waits) == 0 {
		return
	}
	for _, h := range hashes {
		for _, c := range w.waits[h] {
			select {
			case c <- struct{}{}:
			default: // it has not seen the last one yet
			}
		}
	}
}

// wake lets all who wait for keys know that they need not wait any more: those of
// other processes in the background.
func (s *Space) wake(keys []string) {
	if len(keys) == 0 {
		return
	}
	s.wakes.wake(hashes(keys))
	n := s.newsOfKeys(keys)
	s.errands.run(func() {
		ctx := context.Background()
		var calls []*call
		for _, lane := range n.lanes() {
			c := command(ctx, s.publishes(), s.channel(lane), wakeMessage(n[lane].keys))
			c.cmd.SetFirstKeyPos(1) // the channel of a lane is in its slot
			calls = append(calls, c)
		}
		s.suspect(run(ctx, s.rdb, s.pace.bound(), calls)) // those who wait do so a little longer
	})
}

// errands are what a space does in the background for itself. Each ends within the
// timeout of the space, or soon after closing.
type errands struct {
	mu      sync.Mutex
	ended   bool
	under   sync.WaitGroup
	closing chan struct{} // closed by end
}

// run does f, unless the space is closed.
func (e *errands) run(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended {
		e.under.Go(f)
	}
}

// end waits until nothing is under way, and lets nothing begin any more.
func (e *errands) end() {
	e.mu.Lock()
	e.ended = true
	e.mu.Unlock()
	close(e.closing)
	e.under.Wait()
}
