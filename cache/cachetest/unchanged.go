package cachetest

import (
	"context"
	"reflect"
	"sync"
	"testing"

	"github.com/larder-cache/larder/cache"
)

// Unchanged returns c, which fails the test if somebody changes a value that c shares:
// what was stored in it, such as what a load function returned or a Writer was given,
// or what it returned. A store in memory keeps the value itself, so what a pointer,
// slice or map leads to changes in the cache too, and Get returns what was never saved.
//
// It compares each value with a copy that it made when it first saw it, on every later
// call with the same entry and at the end of the test. What a pointer in an unexported
// field leads to is not compared. Values that hold mutexes or counters, which change by
// themselves, are not for it. It copies all values and keeps them until then.
func Unchanged[K comparable, V any](t testing.TB, c cache.Cache[K, V]) cache.Cache[K, V] {
	u := &unchanged[K, V]{Cache: c, t: t, seen: map[*cache.Entry[V]]*seenValue{}}
	t.Cleanup(func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		for _, s := range u.seen {
			u.compare(s)
		}
	})
	return u
}

// unchanged is a store that remembers values.
type unchanged[K comparable, V any] struct {
	cache.Cache[K, V]
	t testing.TB

	mu   sync.Mutex
	seen map[*cache.Entry[V]]*seenValue
}

// seenValue is a value as it was and as it is.
type seenValue struct {
	key       any
	copy, own reflect.Value
	reported  bool
}

// note remembers the value of an entry, or compares it with what it was.
func (u *unchanged[K, V]) note(key K, e *cache.Entry[V]) {
	if e == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if s := u.seen[e]; s != nil {
		u.compare(s)
		return
	}
	own := reflect.New(reflect.TypeFor[V]()).Elem()
	own.Set(reflect.ValueOf(&e.Value).Elem())
	u.seen[e] = &seenValue{key: key, own: own, copy: copied(own, map[copyKey]reflect.Value{})}
}

func (u *unchanged[K, V]) compare(s *seenValue) {
	if where := difference(s.copy, s.own); where != "" && !s.reported {
		s.reported = true
		u.t.Errorf("cachetest: the value of %v, which the cache shares, was changed: %s", s.key, where)
	}
}

func (u *unchanged[K, V]) Get(ctx context.Context, k K) (*cache.Entry[V], error) {
	e, err := u.Cache.Get(ctx, k)
	u.note(k, e)
	return e, err
}

func (u *unchanged[K, V]) GetMany(ctx context.Context, keys []K) (map[K]*cache.Entry[V], error) {
	all, err := u.Cache.GetMany(ctx, keys)
	for k, e := range all {
		u.note(k, e)
	}
	return all, err
}

func (u *unchanged[K, V]) Reserve(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	return u.open(slots, func() (cache.Fill[V], error) { return u.Cache.Reserve(ctx, slots...) })
}

func (u *unchanged[K, V]) Quarantine(ctx context.Context, slots ...cache.Slot[K]) (cache.Fill[V], error) {
	return u.open(slots, func() (cache.Fill[V], error) { return u.Cache.Quarantine(ctx, slots...) })
}

func (u *unchanged[K, V]) open(slots []cache.Slot[K], open func() (cache.Fill[V], error)) (cache.Fill[V], error) {
	f, err := open()
	if err != nil {
		return f, err
	}
	keys := make([]K, len(slots))
	for i, s := range slots {
		keys[i] = s.Key
	}
	return &unchangedFill[K, V]{Fill: f, u: u, keys: keys}, nil
}

// unchangedFill is a fill whose entries are remembered.
type unchangedFill[K comparable, V any] struct {
	cache.Fill[V]
	u    *unchanged[K, V]
	keys []K
}

func (f *unchangedFill[K, V]) Found(i int) *cache.Entry[V] {
	e := f.Fill.Found(i)
	f.u.note(f.keys[i], e)
	return e
}

func (f *unchangedFill[K, V]) Commit(ctx context.Context, entries ...*cache.Entry[V]) ([]cache.Outcome, error) {
	for i, e := range entries {
		if i < len(f.keys) {
			f.u.note(f.keys[i], e) // before it is shared
		}
	}
	return f.Fill.Commit(ctx, entries...)
}

// copyKey is what a pointer leads to, as a type.
type copyKey struct {
	at uintptr
	t  reflect.Type
}

// copied returns a copy of v and of all that its exported fields lead to; what
// unexported fields lead to is shared, and compared by nothing.
func copied(v reflect.Value, made map[copyKey]reflect.Value) reflect.Value {
	out := reflect.New(v.Type()).Elem()
	out.Set(v)
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return out
		}
		k := copyKey{v.Pointer(), v.Type()}
		if was, ok := made[k]; ok {
			return was
		}
		p := reflect.New(v.Type().Elem())
		made[k] = p.Convert(v.Type())
		p.Elem().Set(copied(v.Elem(), made))
		return made[k]
	case reflect.Interface:
		if !v.IsNil() {
			out.Set(copied(v.Elem(), made))
		}
	case reflect.Slice:
		if !v.IsNil() {
			out.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
			for i := range v.Len() {
				out.Index(i).Set(copied(v.Index(i), made))
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(copied(v.Index(i), made))
		}
	case reflect.Map:
		if !v.IsNil() {
			out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
			for i := v.MapRange(); i.Next(); {
				out.SetMapIndex(i.Key(), copied(i.Value(), made))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if out.Field(i).CanSet() {
				out.Field(i).Set(copied(v.Field(i), made))
			}
		}
	}
	return out
}
