package cache

import "context"

// Tiered puts l1, a store in memory, in front of l2, a store that is shared.
// A value gets into l1 only after l2 has vouched for it, and every
// invalidation reaches l2 before l1, so that the pair keeps the contract
// within this process whenever both parts keep it.
//
// What another process invalidates is as old in l1 as the guards say that l2 puts
// on its entries: for a redisstore, no older than its lease. What l2 cannot hold, but
// vouches for, is in l1 alone. An l2 that guards
// nothing leaves an entry in l1 until it expires: keep Policy.Fresh short then.
//
// A panic of one of them goes on after the other was told what follows from it: that
// nothing is stored, that a quarantine has ended, or what was invalidated.
//
// A hit in l1 costs what it costs there. A hit in l2 is stored in l1 on the
// way. When l2 cannot be asked, Get serves what l1 has and is an error
// otherwise.
func Tiered[K comparable, V any](l1, l2 Cache[K, V]) Cache[K, V] {
	switch {
	case l1 == nil:
		panic("larder: Tiered: l1 is nil")
	case l2 == nil:
		panic("larder: Tiered: l2 is nil")
	}
	return &tiered[K, V]{l1, l2}
}

type tiered[K comparable, V any] struct{ l1, l2 Cache[K, V] }

func (t *tiered[K, V]) Get(ctx context.Context, key K) (*Entry[V], error) {
	e, err := t.l1.Get(ctx, key)
	if e != nil || err != nil {
		return e, err
	}
	return t.fromL2(ctx, key)
}

func (t *tiered[K, V]) fromL2(ctx context.Context, key K) (*Entry[V], error) {
	// Reserved before l2 is read: what is invalidated from here on must not
	// get into l1.
	fill, err := t.l1.Reserve(ctx, Slot[K]{Key: key, LateTags: true})
	if err != nil {
		return nil, err
	}
	answered := false
	defer abandon(ctx, fill, &answered)
	e, err := t.l2.Get(ctx, key)
	answered = true
	return moveUp(ctx, fill, e, err)
}

// abandon is deferred: it ends the fill of one level when the other has not answered, since
// it has panicked or ended the goroutine.
func abandon[V any](ctx context.Context, fill Fill[V], answered *bool) {
	if !*answered {
		fill.Cancel(context.WithoutCancel(ctx))
	}
}

// moveUp puts what l2 has said into l1, and returns it.
func moveUp[V any](ctx context.Context, fill Fill[V], e *Entry[V], err error) (*Entry[V], error) {
	if e == nil {
		fill.Cancel(ctx)
		return nil, err
	}
	fill.Commit(ctx, e) // that l1 cannot store it is no reason not to have it
	return e, nil
}

func (t *tiered[K, V]) GetMany(ctx context.Context, keys []K) (map[K]*Entry[V], error) {
	got, err := t.l1.GetMany(ctx, keys)
	if err != nil || len(got) == len(keys) {
		return got, err
	}
	if got == nil {
		got = make(map[K]*Entry[V], len(keys))
	}
	return t.manyFromL2(ctx, keys, got)
}

// manyFromL2 adds to got what l2 has of those keys that are not in it.
func (t *tiered[K, V]) manyFromL2(ctx context.Context, keys []K, got map[K]*Entry[V]) (map[K]*Entry[V], error) {
	var rest []K
	var slots []Slot[K]
	asked := make(map[K]struct{}, len(keys))
	for _, k := range keys {
		if _, ok := got[k]; ok {
			continue
		}
		if _, ok := asked[k]; !ok {
			asked[k] = struct{}{}
			rest = append(rest, k)
			slots = append(slots, Slot[K]{Key: k, LateTags: true})
		}
	}
	if len(rest) == 0 {
		return got, nil
	}
	fill, err := t.l1.Reserve(ctx, slots...)
	if err != nil {
		return got, err
	}
	answered := false
	defer abandon(ctx, fill, &answered)
	found, err := t.l2.GetMany(ctx, rest)
	answered = true
	entries := make([]*Entry[V], len(rest))
	for i, k := range rest {
		if e := found[k]; e != nil {
			entries[i], got[k] = e, e
		}
	}
	fill.Commit(ctx, entries...)
	return got, err
}

func (t *tiered[K, V]) Reserve(ctx context.Context, slots ...Slot[K]) (Fill[V], error) {
	f1, err := t.l1.Reserve(ctx, slots...)
	if err != nil {
		return nil, err
	}
	if !refreshes(slots) && allFresh(f1, len(slots)) {
		return &tieredFill[V]{f1: f1, n: len(slots)}, nil
	}
	return t.reserveL2(ctx, f1, slots)
}

func (t *tiered[K, V]) reserveL2(ctx context.Context, f1 Fill[V], slots []Slot[K]) (Fill[V], error) {
	answered := false
	defer abandon(ctx, f1, &answered)
	f2, err := t.l2.Reserve(ctx, slots...)
	answered = true
	if err != nil {
		f1.Cancel(ctx)
		return nil, err
	}
	return &tieredFill[V]{f1: f1, f2: f2, n: len(slots)}, nil
}

// refreshes reports whether what is fresh is to be loaded all the same.
func refreshes[K comparable](slots []Slot[K]) bool {
	for _, s := range slots {
		if s.Refresh {
			return true
		}
	}
	return false
}

func allFresh[V any](f Fill[V], n int) bool {
	now := Now()
	for i := range n {
		if e := f.Found(i); e == nil || e.Fresh <= now {
			return false
		}
	}
	return true
}

func (t *tiered[K, V]) Quarantine(ctx context.Context, slots ...Slot[K]) (Fill[V], error) {
	f2, err := t.l2.Quarantine(ctx, slots...)
	if err != nil {
		return nil, err
	}
	answered := false
	defer abandon(ctx, f2, &answered)
	f1, err := t.l1.Quarantine(ctx, slots...)
	answered = true
	if err != nil {
		f2.Cancel(context.WithoutCancel(ctx))
		return nil, err
	}
	return &tieredFill[V]{f1: f1, f2: f2, n: len(slots)}, nil
}

func (t *tiered[K, V]) Invalidate(ctx context.Context, keys ...K) (err error) {
	// After l2, so that nobody can refill l1 with what l2 still had; and also
	// if l2 failed, so that this process at least is clean.
	defer func() {
		if err1 := t.l1.Invalidate(ctx, keys...); err == nil {
			err = err1
		}
	}()
	return t.l2.Invalidate(ctx, keys...)
}

// tieredFill has no f2 if l1 already had all that was asked for.
type tieredFill[V any] struct {
	f1, f2 Fill[V]
	n      int
}

func (f *tieredFill[V]) Found(i int) *Entry[V] {
	if f.f2 != nil {
		if e := f.f2.Found(i); e != nil {
			return e
		}
	}
	return f.f1.Found(i)
}

func (f *tieredFill[V]) Commit(ctx context.Context, entries ...*Entry[V]) ([]Outcome, error) {
	if f.f2 == nil { // l2 was not asked, so nothing can be vouched for
		_, err := f.f1.Commit(ctx, make([]*Entry[V], len(entries))...)
		return make([]Outcome, len(entries)), err
	}
	answered := false
	defer abandon(ctx, f.f1, &answered)
	outcomes, err := f.f2.Commit(ctx, entries...)
	up := make([]*Entry[V], f.n)
	for i := range up {
		switch {
		case i < len(outcomes) && outcomes[i].Valid():
			up[i] = entries[i]
		case i < len(entries) && entries[i] == nil:
			up[i] = f.f2.Found(i)
		}
	}
	answered = true
	in1, err1 := f.f1.Commit(ctx, up...)
	if err == nil {
		err = err1
	}
	for i := range outcomes {
		if outcomes[i] == Vouched && i < len(in1) && in1[i] == Stored {
			outcomes[i] = Stored // in the pair
		}
	}
	return outcomes, err
}

func (f *tieredFill[V]) Cancel(ctx context.Context) error {
	if f.f2 == nil {
		return f.f1.Cancel(ctx)
	}
	_, err := f.Commit(ctx, make([]*Entry[V], f.n)...)
	return err
}
