package aside_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

func strictLoader(store cache.Cache[int, int], load func(context.Context, int) (int, error), p invalidation.Policy) *aside.Loader[int, int] {
	return aside.New(store, load, p, &aside.Options[int, int]{Linearizable: true})
}

func TestALinearizableReadWaitsWhileAWriterIsAtWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New[int, int](nil, 10, nil)
		var origin atomic.Int64
		origin.Store(1)
		l := strictLoader(store, func(context.Context, int) (int, error) { return int(origin.Load()), nil }, invalidation.TTL(time.Hour))
		writer, err := store.Quarantine(t.Context(), cache.Slot[int]{Key: 1})
		if err != nil {
			t.Fatal(err)
		}
		answer := make(chan int, 1)
		go func() {
			v, _ := l.Get(t.Context(), 1)
			answer <- v
		}()
		time.Sleep(time.Minute)
		if len(answer) > 0 {
			t.Fatal("it returns what nobody has vouched for")
		}
		origin.Store(2)
		if err := writer.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v := <-answer; v != 2 {
			t.Errorf("it is %d", v)
		}
	})
}

func TestALinearizableLoaderRefreshesWhatIsStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		l := strictLoader(memstore.New[int, int](nil, 10, nil), func(context.Context, int) (int, error) { n++; return n, nil },
			invalidation.Policy{Fresh: time.Minute, Stale: time.Hour})
		l.Get(t.Context(), 1)
		time.Sleep(2 * time.Minute)
		l.Get(t.Context(), 1)
		synctest.Wait()
		if v, err := l.Get(t.Context(), 1); v != 2 || err != nil {
			t.Errorf("after the refresh it is %d, %v", v, err)
		}
	})
}

func TestALinearizableLoaderStoresALoadThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := deadlines{memstore.New[int, int](nil, 10, nil)}
		l := strictLoader(store, func(context.Context, int) (int, error) { time.Sleep(20 * time.Second); return 1, nil }, invalidation.TTL(time.Hour))
		if v, err := l.Get(t.Context(), 1); v != 1 || err != nil {
			t.Errorf("%d, %v", v, err)
		}
	})
}

// deadlines is a store that cannot be told anything once a context has ended.
type deadlines struct{ cache.Cache[int, int] }

func (s deadlines) Reserve(ctx context.Context, slots ...cache.Slot[int]) (cache.Fill[int], error) {
	f, err := s.Cache.Reserve(ctx, slots...)
	return deadlineFill{f}, err
}

type deadlineFill struct{ cache.Fill[int] }

func (f deadlineFill) Commit(ctx context.Context, e ...*cache.Entry[int]) ([]cache.Outcome, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return f.Fill.Commit(ctx, e...)
}

func TestALinearizableReadOfAStoreThatCannotBeAskedIsAnError(t *testing.T) {
	store := memstore.New[int, int](nil, 10, nil)
	down := errors.New("down")
	l := strictLoader(unreachable{store, down}, func(context.Context, int) (int, error) { return 1, nil }, invalidation.TTL(time.Hour))
	if _, err := l.Get(t.Context(), 1); !errors.Is(err, down) {
		t.Errorf("%v", err)
	}
}

type unreachable struct {
	cache.Cache[int, int]
	err error
}

func (s unreachable) Get(context.Context, int) (*cache.Entry[int], error) { return nil, s.err }

func TestALinearizableLoaderNeedsAPolicyThatStores(t *testing.T) {
	defer func() {
		if err, _ := recover().(string); !strings.Contains(err, "Linearizable") || !strings.Contains(err, "Policy.Fresh") {
			t.Errorf("%q", err)
		}
	}()
	strictLoader(memstore.New[int, int](nil, 10, nil), func(context.Context, int) (int, error) { return 1, nil }, invalidation.Policy{})
}
