package cache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest"
)

type (
	store = cache.Cache[string, string]
	entry = cache.Entry[string]
	slot  = cache.Slot[string]
)

// an returns an entry that is fresh for an hour.
func an(value string, tags ...string) *entry {
	now := cache.Now()
	return &entry{Value: value, Tags: tags, Fresh: now.Add(time.Hour), Expires: now.Add(2 * time.Hour)}
}

// load fills key and returns the outcome.
func load(t testing.TB, s store, key string, e *entry) cache.Outcome {
	t.Helper()
	f, err := s.Reserve(t.Context(), slot{Key: key, Tags: e.Tags})
	if err != nil {
		t.Fatalf("Reserve(%s): %v", key, err)
	}
	out, err := f.Commit(t.Context(), e)
	if err != nil {
		t.Fatalf("Commit(%s): %v", key, err)
	}
	return out[0]
}

// want fails the test unless key has the value, "" for none.
func want(t testing.TB, s store, key, value string) {
	t.Helper()
	e, err := s.Get(t.Context(), key)
	switch {
	case err != nil:
		t.Fatalf("Get(%s): %v", key, err)
	case e == nil && value != "":
		t.Fatalf("Get(%s) is a miss, want %q", key, value)
	case e != nil && e.Value != value:
		t.Fatalf("Get(%s) is %q, want %q", key, e.Value, value)
	}
}

// faulty is a store of which each verb fails with an error if it has one, and
// that counts its calls. Its fills fail to commit with commit.
type faulty struct {
	store
	get, many, reserve, quarantine, invalidate, commit error

	calls   int
	partial map[string]*entry // what GetMany returns with its error
}

func (f *faulty) Get(ctx context.Context, key string) (*entry, error) {
	if f.calls++; f.get != nil {
		return nil, f.get
	}
	return f.store.Get(ctx, key)
}

func (f *faulty) GetMany(ctx context.Context, keys []string) (map[string]*entry, error) {
	if f.calls++; f.many != nil {
		return f.partial, f.many
	}
	return f.store.GetMany(ctx, keys)
}

func (f *faulty) Reserve(ctx context.Context, slots ...slot) (cache.Fill[string], error) {
	if f.calls++; f.reserve != nil {
		return nil, f.reserve
	}
	return f.fill(f.store.Reserve(ctx, slots...))
}

func (f *faulty) Quarantine(ctx context.Context, slots ...slot) (cache.Fill[string], error) {
	if f.calls++; f.quarantine != nil {
		return nil, f.quarantine
	}
	return f.fill(f.store.Quarantine(ctx, slots...))
}

func (f *faulty) fill(inner cache.Fill[string], err error) (cache.Fill[string], error) {
	if err == nil && f.commit != nil {
		inner = faultyFill{inner, f.commit}
	}
	return inner, err
}

func (f *faulty) Invalidate(ctx context.Context, keys ...string) error {
	if f.calls++; f.invalidate != nil {
		return f.invalidate
	}
	return f.store.Invalidate(ctx, keys...)
}

type faultyFill struct {
	cache.Fill[string]
	err error
}

func (f faultyFill) Commit(context.Context, ...*entry) ([]cache.Outcome, error) { return nil, f.err }

func TestPut(t *testing.T) {
	s := storetest.Reference().Store
	if ok, err := cache.Put(t.Context(), s, "k", an("v", "t")); !ok || err != nil {
		t.Fatalf("Put is %v, %v", ok, err)
	}
	want(t, s, "k", "v")

	writer, err := s.Quarantine(t.Context(), slot{Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := cache.Put(t.Context(), s, "k", an("w")); ok || err != nil {
		t.Errorf("Put beside another writer is %v, %v", ok, err)
	}
	writer.Cancel(t.Context())
	want(t, s, "k", "")

	boom := errors.New("boom")
	for _, f := range []*faulty{{store: s, quarantine: boom}, {store: s, commit: boom}} {
		if ok, err := cache.Put[string, string](t.Context(), f, "k", an("x")); ok || err != boom {
			t.Errorf("Put is %v, %v, want %v", ok, err, boom)
		}
	}
}

func TestOutcomesHaveNames(t *testing.T) {
	for o, name := range map[cache.Outcome]string{cache.Refused: "refused", cache.Passed: "passed", cache.Stored: "stored", 9: "refused"} {
		if o.String() != name {
			t.Errorf("outcome %d is called %q, want %q", o, o, name)
		}
	}
}
