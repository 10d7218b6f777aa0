package redisstore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cache"
)

func TestReadsOfOneKeyGoTogetherWhileTheyHaveNotDeparted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shared[int]{patience: time.Minute}
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
		s := shared[int]{patience: time.Minute}
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

func TestWhoFindsNoPlaceToReadIsToldSoInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := shared[int]{patience: 50 * time.Millisecond}
		places := make(chan struct{}) // there is none
		read := func() (*cache.Entry[int], error) { t.Error("it has read"); return nil, nil }
		began := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := s.get(t.Context(), places, "k", read); err != errCrowded || !errors.Is(err, cache.ErrUnavailable) {
					t.Errorf("it has %v", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took != s.patience {
			t.Errorf("they were told after %v", took)
		}
	})
}
