package aside_test

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
)

// Of the rows of one load, those that are invalidated meanwhile are old for
// whoever comes later, and the others are not.
func TestAnInvalidationDuringABatch(t *testing.T) {
	type batch = aside.Batch[int, int]
	for name, by := range map[string]func(context.Context, *probe, *batch) error{
		"key":            func(ctx context.Context, _ *probe, b *batch) error { return b.Invalidate(ctx, 2) },
		"key, elsewhere": func(ctx context.Context, p *probe, _ *batch) error { return p.Store.Invalidate(ctx, 2) },
		"tag of the key": func(ctx context.Context, p *probe, _ *batch) error { return p.Domain().InvalidateTags(ctx, "key:2") },
		"tag of the value": func(ctx context.Context, p *probe, _ *batch) error {
			return p.Domain().InvalidateTags(ctx, "row:2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var version atomic.Int64
				p := newProbe(nil)
				b := aside.NewBatch(p, func(_ context.Context, keys []int) (map[int]int, error) {
					v := int(version.Load())
					time.Sleep(10 * time.Second)
					rows := map[int]int{}
					for _, k := range keys {
						rows[k] = 10*k + v
					}
					return rows, nil
				}, minute, &aside.Options[int, int]{
					KeyTags: func(k int) []string { return []string{fmt.Sprint("key:", k)} },
					Tags:    func(k, _ int) []string { return []string{fmt.Sprint("row:", k)} },
				})
				many := func() (map[int]int, error) { return b.GetMany(t.Context(), []int{1, 2, 3}) }
				before := begin(many)
				time.Sleep(5 * time.Second)
				version.Store(1)
				if err := by(t.Context(), p, b); err != nil {
					t.Fatal(err)
				}
				after := begin(many)
				single := begin(func() (int, error) { return b.Get(t.Context(), 2) })
				time.Sleep(6 * time.Second)
				synctest.Wait()
				if !before.done() || !maps.Equal(before.got, map[int]int{1: 10, 2: 20, 3: 30}) {
					t.Errorf("before: %v", before)
				}
				if e, _ := p.Store.Get(t.Context(), 2); e != nil {
					t.Errorf("the store has the old row: %+v", e)
				}
				time.Sleep(20 * time.Second)
				synctest.Wait()
				if !after.done() || after.err != nil || after.got[2] != 21 || len(after.got) != 3 {
					t.Errorf("after: %v", after)
				}
				if !single.done() || single.got != 21 || single.err != nil {
					t.Errorf("one row, after: %v", single)
				}
				if v, err := b.Get(t.Context(), 2); v != 21 || err != nil {
					t.Errorf("in the end: %d, %v", v, err)
				}
			})
		})
	}
}

func TestARefreshOfABatchNeverBringsAnInvalidatedRowBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var version atomic.Int64
		b := aside.NewBatch(newProbe(nil), func(_ context.Context, keys []int) (map[int]int, error) {
			v := int(version.Load())
			time.Sleep(time.Second)
			rows := map[int]int{}
			for _, k := range keys {
				rows[k] = v
			}
			return rows, nil
		}, stale, nil)
		keys := []int{1, 2}
		b.GetMany(t.Context(), keys)
		time.Sleep(time.Minute)
		b.GetMany(t.Context(), keys) // a refresh of both reads version 0
		synctest.Wait()
		version.Store(1)
		if err := b.Invalidate(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if got, err := b.GetMany(t.Context(), keys); got[2] != 1 || len(got) != 2 || err != nil {
				t.Errorf("GetMany is %v, %v", got, err)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestWhatNobodyAskedForIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(nil)
		b := aside.NewBatch(p, (&table{}).load, minute, nil)
		b.GetMany(t.Context(), []int{1, 2})
		synctest.Wait()
		if p.Len() != 2 {
			t.Errorf("%d rows are stored", p.Len())
		}
		if e, _ := p.Store.Get(t.Context(), -100); e != nil {
			t.Errorf("there is %+v", e)
		}
	})
}

func TestTheKeysOfTheCallerAreNotChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := aside.NewBatch(newProbe(nil), (&table{}).load, minute, nil) // which sorts its keys
		keys := []int{3, 1, 3, 2}
		b.GetMany(t.Context(), keys)
		synctest.Wait()
		if fmt.Sprint(keys) != "[3 1 3 2]" {
			t.Errorf("the keys are %v", keys)
		}
	})
}
