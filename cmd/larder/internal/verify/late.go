package verify

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/writethrough"
)

// releaseInDoubt is the mistake to take the error of a commit that is on its way for a
// rollback.
const releaseInDoubt = "release in doubt"

// lateMost is how long a commit is on its way at most.
const lateMost = 40 * time.Millisecond

var errLost = errors.New("the answer to the commit is lost")

// late writes a row by a commit that arrives, mostly, after its writer was told of an
// error. The write counts as returned when its quarantine is over: from then on no read
// may be older, whatever Redis has lost meanwhile.
func (u *user) late(ctx context.Context, w *way, k int, r *rand.Rand) bool {
	rec := u.j.begin(k, true)
	if rec == nil {
		return false
	}
	var decided atomic.Bool
	arrives, after, through := r.IntN(4) > 0, time.Duration(r.Int64N(int64(lateMost))), r.IntN(3)
	send := func(ctx context.Context) error {
		ctx = context.WithValue(context.WithoutCancel(ctx), recordOf{}, rec)
		time.AfterFunc(after, func() {
			if arrives {
				u.write(ctx, row{Row: k})
				u.j.late.Add(1)
				if u.mistake == releaseInDoubt {
					rec.end()
				}
			}
			decided.Store(true)
		})
		if u.mistake == releaseInDoubt {
			return errLost
		}
		return &cache.InDoubtError{Err: errLost, Decided: func(context.Context) (bool, error) { return decided.Load(), nil }}
	}
	seen := settles{rec, &decided, arrives}
	var err error
	switch through {
	case 0, 1:
		target := w.target(k)
		if through == 1 {
			target = invalidation.Tag(groupTag(k))
		}
		err = w.space.Run(ctx, invalidation.Mutation{Targets: []invalidation.Target{target}, Observer: seen}, send)
	default:
		err = writethrough.New(w.store, func(r row) int { return r.Row }, func(ctx context.Context, r row) (row, error) {
			return r, send(ctx)
		}, invalidation.TTL(time.Second), &writethrough.Options[int, row]{Observer: seen}).Save(ctx, row{Row: k})
	}
	if !errors.Is(err, errLost) {
		u.j.counts[w.mode].failed.Add(1)
		rest()
	}
	return true
}

// settles notes the end of a write when the store was told of it.
type settles struct {
	rec     *record
	decided *atomic.Bool
	arrives bool
}

func (s settles) Observe(e cache.Event) {
	if e.Kind == cache.WriteSettled && e.Err == nil && s.decided.Load() && s.arrives {
		s.rec.end()
	}
}
