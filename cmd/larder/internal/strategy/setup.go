package strategy

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/larder-cache/larder/invalidation"
	"github.com/redis/go-redis/v9"
)

// Setup is what strategies are made of, besides a database.
type Setup struct {
	Capacity  int           // entries of L1
	TTL       workload.Dist // how long entries are fresh, in nanoseconds
	Early     float64       // invalidation.Policy.Early
	Stale     time.Duration // invalidation.Policy.Stale
	KeySize   int           // least bytes of a key's text in Redis
	Redis     redis.UniversalClient
	Namespace string // of all keys in Redis
}

// policy lets entries live for the median of the TTL, which is all of it if it is fixed.
func (s Setup) policy() invalidation.Policy {
	p := invalidation.TTL(time.Duration(s.TTL.At(0.5)))
	p.Early, p.Stale = s.Early, s.Stale
	return p
}

// ttl draws how long an entry lives, or is nil if all live as long.
func (s Setup) ttl() func(int64, simdb.Row) time.Duration {
	if s.TTL.At(0) == s.TTL.Most() {
		return nil
	}
	return func(int64, simdb.Row) time.Duration {
		return max(time.Duration(s.TTL.At(rand.Float64())), time.Millisecond)
	}
}

func (s Setup) key() func(int64) string {
	if s.KeySize == 0 {
		return nil
	}
	return func(id int64) string { return fmt.Sprintf("%0*d", s.KeySize, id) }
}

// beta is the usual factor of XFetch.
const beta = 1

func openEarly(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	s.Early = beta
	return openAside(ctx, db, s)
}

func openStale(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	s.Stale = time.Duration(s.TTL.Most())
	return openAside(ctx, db, s)
}
