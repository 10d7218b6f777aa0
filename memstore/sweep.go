package memstore

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/contain"
)

const (
	// sweepEvery is how often a store looks for what has expired, in seconds, at most.
	sweepEvery = 1
	// sweepPlaces is for how many places in a store it looks less often by a second: a
	// look at one takes about a nanosecond, so all of them take a thousandth of the time of
	// one processor.
	sweepPlaces = 1 << 20
	// sweepAhead is for how many seconds the timer is set, at most. So a store that is
	// garbage leaves one for no longer, and a machine that has slept sweeps soon.
	sweepAhead = 60
	// sweepChunk is how many places are looked at while the lock of a shard is held, and
	// sweepMost how many entries leave.
	sweepChunk = 4096
	sweepMost  = 128
)

// sweeper removes what has expired and is not asked for any more. While a store has
// entries that end, a timer is set for when the first of them has ended; without, there
// is none. The timer does not keep a store alive that is garbage.
type sweeper struct {
	at    atomic.Uint32 // the second for which the timer is set; never if it is not
	pause atomic.Uint32 // seconds between two sweeps, at least
	mu    sync.Mutex    // of who sweeps
}

// never is the second that does not come.
const never = math.MaxUint32

// endOf returns the first second, since 1970, at whose begin m has come.
func endOf(m cache.Moment) uint32 {
	if m > (never-1)*1000 {
		return never
	}
	return uint32((max(m, 0) + 999) / 1000)
}

// nowSecond returns the present second.
func nowSecond() uint32 { return uint32(cache.Now() / 1000) }

// expect has a sweep made soon after an entry ends. It costs an atomic load, unless there
// is none before that.
func (s *Store[K, V]) expect(end uint32) {
	for {
		at := s.sweeper.at.Load()
		if end >= at || end+s.sweeper.pause.Load() >= at && at != never {
			return
		}
		now := cache.Now()
		second, pause := uint32(now/1000), max(s.sweeper.pause.Load(), sweepEvery)
		due := min(max(end, second+pause), second+max(pause, sweepAhead))
		if due >= at {
			return
		}
		if s.sweeper.at.CompareAndSwap(at, due) {
			in := cache.Moment(due) * 1000
			weakly := weak.Make(s)
			time.AfterFunc(in.Sub(now), func() {
				if s := weakly.Value(); s != nil {
					s.sweep(due)
				}
			})
			return
		}
	}
}

// sweep removes what has expired. It does nothing if the timer was set for an earlier
// second in the meantime.
func (s *Store[K, V]) sweep(due uint32) {
	// From here on, whoever adds an entry sets the timer; what was added before is seen.
	if !s.sweeper.at.CompareAndSwap(due, never) {
		return
	}
	if !s.sweeper.mu.TryLock() { // the last one has not ended, as OnEvict takes long
		s.expect(0)
		return
	}
	defer s.sweeper.mu.Unlock()
	now, next, places := nowSecond(), uint32(never), 0
	for i := range s.shards {
		soonest, n := s.sweepShard(&s.shards[i], now)
		next = min(next, soonest)
		places += n
	}
	s.sweeper.pause.Store(pauseAfter(places))
	if next != never {
		s.expect(next)
	}
}

// pauseAfter returns how many seconds there are, at least, from one look at so many places
// to the next.
func pauseAfter(places int) uint32 { return sweepEvery + uint32(places/sweepPlaces) }

// sweepShard removes what has ended by now. It returns when the next entry ends, and how
// many places there are.
func (s *Store[K, V]) sweepShard(sh *shard[K, V], now uint32) (soonest uint32, places int) {
	var room [sweepMost]*node[K, V]
	for from := 0; from >= 0; {
		var gone []*node[K, V]
		gone, from = sh.expired(from, now, room[:0])
		s.expire(gone)
	}
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.shrink()
	return sh.soonest, len(sh.ends)
}

// expire reports entries that have left because they had expired.
func (s *Store[K, V]) expire(gone []*node[K, V]) {
	if s.onEvict == nil {
		for _, n := range gone {
			s.left(n, Expired)
		}
		return
	}
	for len(gone) > 0 {
		// OnEvict may end the goroutine, but not the sweep.
		err := contain.Apart("Options.OnEvict", func() {
			for len(gone) > 0 {
				n := gone[0]
				gone = gone[1:]
				s.left(n, Expired)
			}
		})
		if err != nil {
			s.meter.Panicked(s.observer, cache.Event{Cache: s.name, Level: cache.Memory, Err: err})
		}
	}
}

// ending notes when the entry of a slot ends. The lock is held.
func (sh *shard[K, V]) ending(slot uint32, end uint32) {
	if int(slot) == len(sh.ends) {
		sh.ends = append(sh.ends, end)
	} else {
		sh.ends[slot] = end
	}
	sh.soonest = min(sh.soonest, end)
}

// expired takes out what has expired of a chunk of the slots, and returns where the next
// one begins; -1 if this is the last, or if nothing in the shard has expired.
func (sh *shard[K, V]) expired(from int, now uint32, room []*node[K, V]) (gone []*node[K, V], next int) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if from == 0 {
		if sh.soonest > now {
			return nil, -1
		}
		sh.soonest = never // until the others have been seen
	}
	soonest := sh.soonest
	defer func() { sh.soonest = soonest }()
	for slot := from; slot < len(sh.ends); slot++ {
		if len(room) == cap(room) || slot == from+sweepChunk {
			return room, slot
		}
		if end := sh.ends[slot]; end > now {
			soonest = min(soonest, end)
			continue
		}
		n := sh.nodes[slot]
		sh.remove(n)
		room = append(room, n)
	}
	return room, -1
}

// few is how many slots a shard keeps when it is empty.
const few = 64

// shrink gives the slots and the table of a shard back that has no entries any more. The
// lock is held.
func (sh *shard[K, V]) shrink() {
	if sh.count == 0 && len(sh.nodes) > few {
		sh.reset()
	}
}

// reset gives all slots back. The lock is held, and there are no entries.
func (sh *shard[K, V]) reset() {
	sh.nodes, sh.free, sh.count, sh.weights, sh.ends = nil, nil, 0, nil, nil
	sh.soonest = never
	sh.order = sh.newOrder()
	sh.table.Store(newTable[K, V](minBuckets))
}
