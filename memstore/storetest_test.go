package memstore_test

import (
	"context"
	"testing"

	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/memstore"
)

func TestItKeepsTheContract(t *testing.T) {
	for name, capacity := range map[string]int{"OneShard": 1000, "Sharded": 100_000} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t testing.TB) storetest.Subject {
				s := memstore.New[string, string](nil, capacity, nil)
				return storetest.Subject{
					Store: s, Peer: s, InvalidateTags: s.Domain().InvalidateTags,
					Lose:  func(context.Context) error { s.Clear(); return nil },
					Close: func(context.Context) error { return s.Close() },
				}
			})
		})
	}
}
