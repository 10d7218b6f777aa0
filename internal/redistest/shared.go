package redistest

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/larder-cache/larder/internal/redisproc"
)

// shares is true while Main is there to stop what is shared.
var shares atomic.Bool

var (
	standalone = shared[*redisproc.Server]{start: func(ctx context.Context) (*redisproc.Server, error) {
		return redisproc.Start(ctx, redisproc.Options{})
	}}
	cluster = shared[*redisproc.Cluster]{start: func(ctx context.Context) (*redisproc.Cluster, error) {
		return redisproc.StartCluster(ctx, redisproc.ClusterOptions{Masters: 3})
	}}
)

var authority = sync.OnceValues(redisproc.NewAuthority)

// shared is something that is started once, at the first demand.
type shared[S interface{ Stop() error }] struct {
	start func(context.Context) (S, error)

	mu    sync.Mutex
	tried bool
	s     S
	err   error
}

// get returns what is shared. If it could not be started, the test fails, and
// so does every other that asks.
func (h *shared[S]) get(t testing.TB) S {
	t.Helper()
	if !shares.Load() {
		return own(t, h.start)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.tried {
		h.tried = true
		h.s, h.err = h.start(context.Background())
	}
	if h.err != nil {
		t.Fatal(h.err)
	}
	return h.s
}

// stop stops it, if it was started.
func (h *shared[S]) stop() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.tried || h.err != nil {
		return nil
	}
	h.tried = false
	return h.s.Stop()
}

// own starts something that lives as long as the test.
func own[S interface{ Stop() error }](t testing.TB, start func(context.Context) (S, error)) S {
	t.Helper()
	s, err := start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}
