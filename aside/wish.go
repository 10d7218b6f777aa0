package aside

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// NoStale is a Wish.MaxStale.
const NoStale time.Duration = -1

// Wish is what one caller wants of a value. The zero Wish is what the Policy says.
type Wish struct {
	// MaxAge is how long ago the origin may have given the value when Lookup returns
	// it. One that is older, or of which that is not known, is not returned, but loaded
	// anew; nor is it returned if that load fails or takes too long. 0 is any.
	MaxAge time.Duration
	// MaxStale is how long a value may be past its time: up to then it is returned at
	// once, and loaded again in the background, and later it is not returned at all,
	// also if the origin fails. A value is not kept for longer than the Policy says.
	// 0 leaves it to Policy.Stale and IfError, and NoStale allows none.
	MaxStale time.Duration
	// CacheOnly asks no origin, now or in the background. What is not in the cache is
	// an error that wraps cache.ErrNotCached.
	CacheOnly bool
	// Bypass asks the origin, for this caller alone, and neither reads nor fills the
	// cache, as cache.Bypass does.
	Bypass bool
	// AtLeast is the token of an invalidation.Session: the value is as new as what was
	// written in it. It needs Options.Domain, and costs what Domain.AtLeast does. If
	// the Domain cannot tell, the origin is asked.
	AtLeast string
}

// Sessions is what waits until this process has heard of the writes of a Session:
// an *invalidation.Domain or a redisstore.Space.
type Sessions interface {
	AtLeast(ctx context.Context, token string) error
}

// check returns an error that names the fields that make no sense.
func (w Wish) check(hasDomain bool) error {
	switch {
	case w.MaxAge < 0:
		return fmt.Errorf("larder: Wish.MaxAge is %v: it cannot be negative", w.MaxAge)
	case w.MaxStale < 0 && w.MaxStale != NoStale:
		return fmt.Errorf("larder: Wish.MaxStale is %v: it cannot be negative, but for NoStale", w.MaxStale)
	case w.CacheOnly && w.Bypass:
		return fmt.Errorf("larder: Wish.CacheOnly and Wish.Bypass are set: then nobody is asked")
	case w.Bypass && w.MaxStale > 0:
		return fmt.Errorf("larder: Wish.Bypass is set, but Wish.MaxStale is %v: what the origin says is not stale", w.MaxStale)
	case w.AtLeast != "" && !hasDomain:
		return fmt.Errorf("larder: Wish.AtLeast is set, but Options.Domain is nil: say where the writes are heard of")
	}
	if _, err := invalidation.ParseToken(w.AtLeast); err != nil {
		return fmt.Errorf("%w: Wish.AtLeast", err)
	}
	return nil
}

// tooOld reports whether a value is older than the caller wants.
func (w Wish) tooOld(t times, now cache.Moment) bool {
	if w.MaxAge == 0 {
		return false
	}
	age := t.age(now)
	return age < 0 || age > w.MaxAge
}

// limit returns what may be done with a value that was fresh until then, if the
// Policy says s.
func (w Wish) limit(s standing, fresh, now cache.Moment) standing {
	if w.MaxStale == 0 || s != stale && s != spare {
		return s
	}
	if w.MaxStale != NoStale && now.Sub(fresh) <= w.MaxStale {
		return stale
	}
	return missing
}
