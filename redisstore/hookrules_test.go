package redisstore_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// hooks are the functions of the user's that stores call. Each calls what was last set.
// They are a codec, whose values have a tail that the compressor leaves out.
type hooks struct{ f atomic.Pointer[func(string)] }

func (h *hooks) set(f func(string)) { h.f.Store(&f) }

func (h *hooks) call(name string) {
	if f := h.f.Load(); f != nil && *f != nil {
		(*f)(name)
	}
}

var tail = make([]byte, 8)

func (h *hooks) text(k string) string { h.call("Key"); return k }
func (h *hooks) ID() byte             { return 77 }
func (h *hooks) Schema() uint32       { return 1 }

func (h *hooks) Append(dst []byte, v string) ([]byte, error) {
	h.call("Codec.Append")
	return append(append(dst, v...), tail...), nil
}

func (h *hooks) Decode(b []byte) (string, error) {
	h.call("Codec.Decode")
	return string(bytes.TrimSuffix(b, tail)), nil
}

func (h *hooks) Compress(dst, src []byte) ([]byte, byte) {
	h.call("Compressor.Compress")
	return append(dst, bytes.TrimSuffix(src, tail)...), 5
}

func (h *hooks) Reads(method byte) bool { h.call("Compressor.Reads"); return method == 5 }

func (h *hooks) Decompress(dst, src []byte, _ byte, _ int) ([]byte, error) {
	h.call("Compressor.Decompress")
	return append(append(dst, src...), tail...), nil
}

// of returns an Observer of that name.
func (h *hooks) of(name string) cache.Observer { return observing{h, name} }

type observing struct {
	*hooks
	name string
}

func (o observing) Observe(e cache.Event) {
	o.call(o.name)
	o.call(o.name + " of " + e.Kind.String())
}

// opened returns a store with all functions there are, and memory in front of it if that is
// wanted, with all of its.
func (h *hooks) opened(t *testing.T, rdb redis.UniversalClient, inFront bool) cache.Cache[string, string] {
	space, err := redisstore.Open(t.Context(), rdb, fmt.Sprint("hooks", namespaces.Add(1)),
		&redisstore.Options{Timeout: 10 * time.Second, LockWait: 20 * time.Millisecond, Observer: h.of("the space's Observer")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	s := redisstore.New(space, "s", &redisstore.StoreOptions[string, string]{Key: h.text, Codec: h, Compressor: h, Observer: h.of("Observer")})
	if !inFront {
		return s
	}
	return cache.Tiered(memstore.New(space.Domain, 1000, &memstore.Options[string, string]{
		Observer: h.of("Observer in memory"), Weight: func(string, string) int { h.call("Weight"); return 1 },
		OnEvict: func(string, *cache.Entry[string], memstore.Reason) { h.call("OnEvict") },
	}), s)
}

func TestHooks_KeepTheRules(t *testing.T) {
	for server, rdb := range map[string]redis.UniversalClient{"Redis": redistest.Client(t), "Cluster": redistest.ClusterClient(t)} {
		for _, r := range storetest.Rules() {
			if !strings.HasPrefix(r.Name, "hook/") {
				continue
			}
			for _, inFront := range []bool{false, true} {
				t.Run(fmt.Sprint(server, "/", r.Name, "/memory in front: ", inFront), func(t *testing.T) {
					t.Parallel()
					h := &hooks{}
					if err := r.Check(t.Context(), storetest.Subject{Store: h.opened(t, rdb, inFront), Hooks: h.set}); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
}
