package redisstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/larder-cache/larder/cache"
)

func TestReadsOfOneKeyGoTogetherWhileTheyHaveNotDeparted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared[int]
		var reads atomic.Int64
		places := make(chan struct{}, 1)
		places <- struct{}{} // somebody else is reading
		read := func() (*cache.Entry[int], error) {
			return &cache.Entry[int]{Value: int(reads.Add(1))}, nil
		}
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				if e, err := s.get(t.Context(), places, "k", read); err != nil || e.Value != 1 {
					t.Errorf("%v, %v", e, err)
				}
			})
		}
		synctest.Wait()
		<-places
		wg.Wait()
		if e, _ := s.get(t.Context(), places, "k", read); e.Value != 2 {
			t.Error("a read that came later was answered by one that had departed")
		}
	})
}

func TestWhoJoinsAReadWhoseOwnerHasLeftReadsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s shared[int]
		places := make(chan struct{}, 1)
		places <- struct{}{}
		read := func() (*cache.Entry[int], error) { return &cache.Entry[int]{Value: 1}, nil }
		impatient, leave := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.get(impatient, places, "k", read); !errors.Is(err, context.Canceled) {
				t.Errorf("the owner who left has %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if e, err := s.get(t.Context(), places, "k", read); err != nil || e.Value != 1 {
				t.Errorf("%v, %v", e, err)
			}
		})
		synctest.Wait()
		leave()
		synctest.Wait()
		<-places
		wg.Wait()
	})
}
