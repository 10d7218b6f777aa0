package invalidation

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
)

// A lease ends, what was invalidated meanwhile is heard of, and the lease is renewed: an
// entry that is asked for all the while must be found apart or invalid, also by who is
// held up between the two questions.
func TestALeaseThatIsRenewedMeanwhileVouchesForNothingOlder(t *testing.T) {
	const rounds = 3_000
	d := newDomain(1)
	l := &d.lanes[0]
	var counter, still atomic.Uint64
	many := &further{tags: make([]count, 20_000)} // so that the look takes a while
	for i := range many.tags {
		many.tags[i].n = &still
	}
	var trusted atomic.Int64
	for range rounds {
		l.until.Store(0) // it has ended
		g := &guard{first: laneMark{l, l.dropped.Load()}, key: count{&counter, counter.Load()}, more: many}
		var all sync.WaitGroup
		var begun atomic.Int64
		const readers = 2
		for range readers {
			all.Go(func() {
				now := time.Now()
				begun.Add(1)
				for range 3 {
					if g.Trust(now) == cache.Valid {
						trusted.Add(1)
					}
				}
			})
		}
		for begun.Load() < readers {
			runtime.Gosched()
		}
		counter.Add(1)
		l.renew(time.Now().Add(time.Hour))
		all.Wait()
	}
	if n := trusted.Load(); n > 0 {
		t.Errorf("what was invalidated was valid %d times in %d rounds", n, rounds)
	}
}
