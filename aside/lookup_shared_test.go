package aside_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
)

var (
	_ aside.Sessions = (*invalidation.Domain)(nil)
	_ aside.Sessions = (*redisstore.Space)(nil)
)

// Whoever brings the token of a write reads it, in another process too.
func TestATokenOfAnotherProcessIsHeardOf(t *testing.T) {
	server := miniredis.RunT(t)
	var row atomic.Int64
	open := func() *aside.Loader[int, int] {
		space := openSpace(t, server)
		store := cache.Tiered(memstore.New[int, int](space.Domain, 100, nil), redisstore.New[int, int](space, "rows", nil))
		l := aside.New(store, func(context.Context, int) (int, error) { return int(row.Load()), nil },
			invalidation.TTL(time.Hour), &aside.Options[int, int]{Domain: space})
		t.Cleanup(func() { l.Close(context.Background()) })
		return l
	}
	here, there := open(), open()
	for i := range int64(50) {
		there.Get(t.Context(), 1)
		row.Store(i + 1)
		ctx, session := invalidation.NewSession(t.Context())
		if err := here.Invalidate(ctx, 1); err != nil {
			t.Fatal(err)
		}
		a, err := there.Lookup(t.Context(), 1, aside.Wish{AtLeast: session.Token()})
		if err != nil || a.Value != int(i+1) {
			t.Fatalf("after write %d it is %+v, %v", i+1, a, err)
		}
	}
}
