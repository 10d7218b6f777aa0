package memstore

import (
	"math/rand/v2"
	"sync/atomic"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/meter"
)

// sampler says which hits are counted. An atomic addition costs a third of a hit, even
// to a counter that no other processor uses, and more of one that waits for memory. So
// while there are few, each hit counts one. When there are more than busy in a period of
// the clock, only those of an eighth of the keys are counted, for eight each, and in the
// next period those of another eighth: in a round of eight periods it is each key's turn
// once. While that goes on, the next round is one of sixteen, and the longest of 64.
//
// Of many keys that says in any period how many hits there were, and of a single one
// after a round, which is no longer than all was before it. It is wrong by what changes
// within a round; and the hits of a key are fewer while they are counted, by the time
// that this takes: a quarter, if goroutines do nothing else but hit a single key, and
// one in a hundred if they have something to do for a microsecond in between.
type sampler struct {
	// turn has the periods of a round less one, which is 0 while each hit counts, in
	// its upper half, and in the lower one the part of the keys whose turn it is.
	turn atomic.Uint32
	// The rest is the clock's: the hits at the last tick, those before the round, and
	// how many of its periods are over.
	last, first int64
	over        uint32
}

const (
	shortRound = 8
	longRound  = 64
	busy       = 10_000 // hits in a period: a million in a second
)

// weight returns for how many a hit of a key with this hash counts.
func (p *sampler) weight(hash uint64) int64 {
	turn := p.turn.Load()
	if (uint32(hash>>32)^turn)&(turn>>16) != 0 {
		return 0
	}
	return int64(turn>>16) + 1
}

// next ends a period. There have been so many hits until now.
func (p *sampler) next(hits int64) {
	in, round := hits-p.last, p.turn.Load()>>16+1
	p.last = hits
	if round > 1 {
		if p.over++; p.over < round {
			p.turn.Store((round-1)<<16 | (p.turn.Load()+1)&(round-1))
			return
		}
		in = (hits - p.first) / int64(round)
	}
	if in <= busy {
		p.turn.Store(0)
		return
	}
	p.first, p.over = hits, 0
	round = min(max(2*round, shortRound), longRound)
	p.turn.Store((round-1)<<16 | rand.Uint32N(round)) // in step with nothing
}

// stop has each hit counted until the next period ends.
func (p *sampler) stop(hits int64) {
	p.turn.Store(0)
	p.last = hits
}

// counted returns how many hits were counted.
func counted(m *meter.Meter) int64 { return m.Count(cache.Hit) }
