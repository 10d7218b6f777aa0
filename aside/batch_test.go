package aside_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// table is an origin of many: it has the positive keys, and answers slowly.
type table struct {
	mu    sync.Mutex
	asked []string
	take  time.Duration
	err   error
}

func (o *table) load(ctx context.Context, keys []int) (map[int]int, error) {
	slices.Sort(keys) // as an origin may
	o.mu.Lock()
	o.asked = append(o.asked, fmt.Sprint(keys))
	o.mu.Unlock()
	time.Sleep(o.take)
	rows := map[int]int{-100: 1} // nobody asks for it
	for _, k := range keys {
		if k > 0 {
			rows[k] = k * 10
		}
	}
	if o.err != nil {
		delete(rows, keys[0])
	}
	return rows, o.err
}

func (o *table) queries() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprint(o.asked)
}

func TestABatchMakesOneTripOfEachKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &table{}
		b := aside.NewBatch(p, o.load, minute, nil)
		if v, err := b.Get(t.Context(), 3); v != 30 || err != nil {
			t.Errorf("Get is %d, %v", v, err)
		}
		synctest.Wait()
		for range 2 {
			got, err := b.GetMany(t.Context(), []int{5, 3, 5, 4, 3, 1})
			if err != nil || !maps.Equal(got, map[int]int{1: 10, 3: 30, 4: 40, 5: 50}) {
				t.Errorf("GetMany is %v, %v", got, err)
			}
			got[99] = 1 // it is the caller's
			synctest.Wait()
		}
		if o.queries() != "[[3] [1 4 5]]" {
			t.Errorf("the origin was asked for %s", o.queries())
		}
		if want := []string{"Get", "Reserve", "Commit", "GetMany", "Reserve", "Commit", "GetMany"}; !slices.Equal(p.verbs, want) {
			t.Errorf("the store was asked %v", p.verbs)
		}
		if !slices.Equal(p.read, []int{5, 3, 4, 1, 5, 3, 4, 1}) {
			t.Errorf("the store was asked for %v", p.read)
		}
		if got, err := b.GetMany(t.Context(), nil); len(got) != 0 || got == nil || err != nil || p.count("GetMany") != 2 {
			t.Errorf("GetMany of nothing is %v, %v", got, err)
		}
	})
}

func TestABatchJoinsWhatIsOnItsWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{take: time.Second}
		b := aside.NewBatch(newProbe(nil), o.load, minute, nil)
		one := begin(func() (int, error) { return b.Get(t.Context(), 2) })
		many := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{1, 2, 3}) })
		more := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{2, 3, 4}) })
		time.Sleep(time.Second)
		synctest.Wait()
		if !one.done() || !many.done() || !more.done() || len(many.got) != 3 || len(more.got) != 3 {
			t.Errorf("they have %v, %v, %v", one, many, more)
		}
		if o.queries() != "[[2] [1 3] [4]]" {
			t.Errorf("the origin was asked for %s", o.queries())
		}
	})
}

func TestMissingRowsAreCachedForBatchAndLoader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o, one := newProbe(nil), &table{}, &origin{}
		policy := invalidation.Policy{Fresh: time.Minute, Negative: time.Minute}
		b := aside.NewBatch(p, o.load, policy, nil)
		l := aside.New(p, one.load, policy, &aside.Options[int, int]{NotFound: errRow})
		for range 2 {
			if got, err := b.GetMany(t.Context(), []int{1, -2, -3}); len(got) != 1 || err != nil {
				t.Errorf("GetMany is %v, %v", got, err)
			}
			synctest.Wait()
		}
		if _, err := b.Get(t.Context(), -2); !same(err, cache.ErrNotFound) {
			t.Errorf("the Batch says %v", err)
		}
		if _, err := l.Get(t.Context(), -3); !same(err, errRow) || one.loads.Load() != 0 {
			t.Errorf("the Loader says %v after %d loads", err, one.loads.Load())
		}
		if _, err := aside.NewBatch(p, o.load, policy, &aside.Options[int, int]{NotFound: errRow}).Get(t.Context(), -9); !same(err, errRow) {
			t.Errorf("a Batch with an error of its own says %v", err)
		}
		synctest.Wait()
		if o.queries() != "[[-3 -2 1] [-9]]" {
			t.Errorf("the origin was asked for %s", o.queries())
		}
	})
}

func TestMissingRowsAreNotCachedUnlessAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &table{}
		b := aside.NewBatch(p, o.load, minute, nil)
		for range 2 {
			b.GetMany(t.Context(), []int{1, -2})
			synctest.Wait()
		}
		if o.queries() != "[[-2 1] [-2]]" || p.Len() != 1 {
			t.Errorf("the origin was asked for %s, %d entries", o.queries(), p.Len())
		}
	})
}

func TestAFailingBatchFailsItsFollowersAndKeepsItsHits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		b := aside.NewBatch(newProbe(nil), o.load, minute, nil)
		b.Get(t.Context(), 1)
		synctest.Wait()
		o.take, o.err = time.Second, errors.New("the origin is down")
		leader := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{1, 2, 3}) })
		follower := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{1, 2}) })
		single := begin(func() (int, error) { return b.Get(t.Context(), 2) })
		time.Sleep(time.Second)
		synctest.Wait()
		if !same(leader.err, o.err) || !maps.Equal(leader.got, map[int]int{1: 10, 3: 30}) {
			t.Errorf("the leader has %v", leader)
		}
		if !same(follower.err, o.err) || !maps.Equal(follower.got, map[int]int{1: 10}) || !same(single.err, o.err) {
			t.Errorf("the followers have %v and %v", follower, single)
		}
		if o.queries() != "[[1] [2 3]]" {
			t.Errorf("the origin was asked for %s", o.queries())
		}
		if got, err := b.GetMany(t.Context(), []int{1, 3}); err != nil || len(got) != 2 {
			t.Errorf("what came with the error is not cached: %v, %v", got, err)
		}
	})
}

func TestDifferentErrorsOfABatchAreJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errs := map[int]error{1: errors.New("no"), 2: errors.New("no")} // equal texts, different errors
		b := aside.NewBatch(newProbe(nil), func(_ context.Context, keys []int) (map[int]int, error) {
			time.Sleep(time.Second)
			return nil, errs[keys[0]]
		}, minute, nil)
		for k := range errs {
			begin(func() (int, error) { return b.Get(t.Context(), k) })
		}
		all := begin(func() (map[int]int, error) { return b.GetMany(t.Context(), []int{1, 2, 3}) })
		time.Sleep(time.Second)
		synctest.Wait()
		if !errors.Is(all.err, errs[1]) || !errors.Is(all.err, errs[2]) || len(all.got) != 0 {
			t.Errorf("GetMany is %v", all)
		}
	})
}

func TestABatchSurvivesTheStoreInPart(t *testing.T) {
	for verb, want := range map[string]int{"GetMany": 1, "Reserve": 1, "Commit": 1} {
		t.Run(verb, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o, seen := &table{}, &events{}
				b := aside.NewBatch(newProbe(failing(errDown, verb)), o.load, minute, &aside.Options[int, int]{Observer: seen})
				if got, err := b.GetMany(t.Context(), []int{1, 2}); len(got) != 2 || err != nil {
					t.Errorf("GetMany is %v, %v", got, err)
				}
				synctest.Wait()
				if got := seen.of(cache.Unavailable); len(got) != want || got[0].N != 2 {
					t.Errorf("observed: %+v", got)
				}
			})
		})
	}
}

func TestStaleRowsAreRefreshedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &table{}
		b := aside.NewBatch(newProbe(nil), o.load, stale, nil)
		keys := []int{1, 2, 3}
		b.GetMany(t.Context(), keys)
		synctest.Wait()
		time.Sleep(time.Minute)
		o.take = time.Second
		for range 100 {
			if got, err := b.GetMany(t.Context(), keys); len(got) != 3 || err != nil {
				t.Errorf("GetMany is %v, %v", got, err)
			}
		}
		time.Sleep(2 * time.Second)
		if o.queries() != "[[1 2 3] [1 2 3]]" {
			t.Errorf("the origin was asked for %s", o.queries())
		}
	})
}

func TestCarriedRowsGoTogetherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, o := newProbe(nil), &table{take: 10 * time.Second}
		b := aside.NewBatch(p, o.load, minute, nil)
		get := func() (map[int]int, error) { return b.GetMany(t.Context(), []int{1, 2, 3}) }
		begin(get)
		time.Sleep(5 * time.Second)
		p.Store.Invalidate(t.Context(), 1, 3)
		late := begin(get)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if o.queries() != "[[1 2 3] [1 3]]" || !late.done() || late.took != 15*time.Second || len(late.got) != 3 {
			t.Errorf("the origin was asked for %s; who came after the invalidation has %v", o.queries(), late)
		}
	})
}

func TestACallerWhoLeavesABatchIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := aside.NewBatch(newProbe(nil), (&table{take: time.Hour}).load, minute, nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if got, err := b.GetMany(ctx, []int{1, 2, 3}); err != context.DeadlineExceeded || len(got) != 0 {
			t.Errorf("GetMany is %v, %v", got, err)
		}
		b.Close(t.Context())
	})
}

func TestAPanicOfABatchIsOneErrorForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := aside.NewBatch(newProbe(nil), func(context.Context, []int) (map[int]int, error) { panic("boom") }, minute, nil)
		_, err := b.GetMany(t.Context(), []int{1, 2, 3})
		if _, ok := err.(*cache.PanicError); !ok {
			t.Errorf("the error is %v", err)
		}
	})
}
