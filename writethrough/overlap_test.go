package writethrough_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/writethrough"
)

// What is decorated keeps its signature.
var (
	_ func(context.Context, row) (row, error) = new(writethrough.Writer[int, row]).Write
	_ func(context.Context, row) error        = new(writethrough.Writer[int, row]).Save
	_ func(context.Context, row) (row, error) = writethrough.Echo(func(context.Context, row) error { return nil })
)

// table is an origin of one row. A write takes effect in the middle of its
// time, which is two seconds.
type table struct {
	version       atomic.Int64
	reads, writes atomic.Int64
}

func (o *table) read(_ context.Context, id int) (row, error) {
	o.reads.Add(1)
	return row{id, int(o.version.Load())}, nil
}

func (o *table) write(_ context.Context, r row) (row, error) {
	o.writes.Add(1)
	time.Sleep(time.Second)
	o.version.Store(int64(r.version))
	time.Sleep(time.Second)
	return r, nil
}

// save makes a write in the background of a bubble.
func save(t *testing.T, w *writethrough.Writer[int, row], r row) {
	go func() {
		if got, err := w.Write(t.Context(), r); got != r || err != nil {
			t.Errorf("Write is %v, %v", got, err)
		}
	}()
	synctest.Wait()
}

func TestReadersDuringAWriteGoToTheOriginAndStoreNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, o := memstore.New[int, row](nil, 10, nil), &table{}
		l := aside.New(store, o.read, minute, nil)
		w := writethrough.New(store, row.key, o.write, minute, nil)
		l.Get(t.Context(), 1)
		synctest.Wait()
		save(t, w, row{1, 7})
		time.Sleep(500 * time.Millisecond)
		for _, want := range []int{0, 7} { // before the write takes effect, and after it
			for range 3 {
				if r, err := l.Get(t.Context(), 1); r.version != want || err != nil {
					t.Errorf("during the write Get is %v, %v", r, err)
				}
				synctest.Wait()
			}
			if store.Len() != 0 {
				t.Errorf("%d entries during the write", store.Len())
			}
			time.Sleep(time.Second)
		}
		if o.reads.Load() != 7 {
			t.Errorf("%d reads, not one before and six during the write", o.reads.Load())
		}
		synctest.Wait()
		if r, err := l.Get(t.Context(), 1); r.version != 7 || err != nil || o.reads.Load() != 7 {
			t.Errorf("after the write Get is %v, %v after %d reads", r, err, o.reads.Load())
		}
	})
}

// A read that began before a write and ends during or after it has the old row.
func TestALoadThatAWriteOvertakesIsNotStored(t *testing.T) {
	for _, takes := range []time.Duration{1500 * time.Millisecond, 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			store, o := memstore.New[int, row](nil, 10, nil), &table{}
			l := aside.New(store, func(ctx context.Context, id int) (row, error) {
				r, err := o.read(ctx, id)
				if r.version == 0 {
					time.Sleep(takes)
				}
				return r, err
			}, minute, nil)
			w := writethrough.New(store, row.key, o.write, minute, nil)
			go l.Get(t.Context(), 1)
			synctest.Wait()
			save(t, w, row{1, 7})
			time.Sleep(2 * time.Second)
			for range 2 {
				synctest.Wait()
				if e, _ := store.Get(t.Context(), 1); e == nil || e.Value.version != 7 {
					t.Errorf("the store has %+v", e)
				}
				if r, err := l.Get(t.Context(), 1); r.version != 7 || err != nil {
					t.Errorf("Get is %v, %v", r, err)
				}
				time.Sleep(10 * time.Second)
			}
		})
	}
}

// The origin alone knows which of two writes at the same time came last.
func TestOfWritersThatOverlapNoneInstalls(t *testing.T) {
	for name, second := range map[string]func(t *testing.T, s *memstore.Store[int, row], o *table){
		"both write": func(t *testing.T, s *memstore.Store[int, row], o *table) {
			save(t, writethrough.New(s, row.key, o.write, minute, nil), row{1, 8})
		},
		"one deletes": func(t *testing.T, s *memstore.Store[int, row], o *table) {
			del := writethrough.Delete(s, func(ctx context.Context, id int) error {
				_, err := o.write(ctx, row{id, 8})
				return err
			}, nil)
			go del(t.Context(), 1)
			synctest.Wait()
		},
	} {
		for _, apart := range []time.Duration{0, time.Second, 2*time.Second - time.Millisecond} {
			t.Run(name+" "+apart.String()+" apart", func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store, o := memstore.New[int, row](nil, 10, nil), &table{}
					l := aside.New(store, o.read, minute, nil)
					save(t, writethrough.New(store, row.key, o.write, minute, nil), row{1, 7})
					time.Sleep(apart)
					second(t, store, o)
					time.Sleep(4 * time.Second)
					if o.writes.Load() != 2 || store.Len() != 0 {
						t.Errorf("%d writes, %d entries", o.writes.Load(), store.Len())
					}
					for range 2 {
						if r, err := l.Get(t.Context(), 1); r.version != int(o.version.Load()) || err != nil {
							t.Errorf("Get is %v, %v", r, err)
						}
						synctest.Wait()
					}
					if o.reads.Load() != 1 {
						t.Errorf("%d reads", o.reads.Load())
					}
				})
			})
		}
	}
}

func TestWritersInTurnInstallBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, o := memstore.New[int, row](nil, 10, nil), &table{}
		w := writethrough.New(store, row.key, o.write, minute, nil)
		for _, v := range []int{7, 8} {
			save(t, w, row{1, v})
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if e, _ := store.Get(t.Context(), 1); e == nil || e.Value.version != v {
				t.Errorf("the store has %+v, not version %d", e, v)
			}
		}
	})
}

func TestWritersOfDifferentKeysDoNotMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, o := memstore.New[int, row](nil, 10, nil), &table{}
		w := writethrough.New(store, row.key, o.write, minute, nil)
		save(t, w, row{1, 7})
		save(t, w, row{2, 8})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if store.Len() != 2 {
			t.Errorf("%d entries", store.Len())
		}
	})
}

func TestEchoReturnsWhatItWasGiven(t *testing.T) {
	var got []row
	echo := writethrough.Echo(func(_ context.Context, r row) error {
		got = append(got, r)
		if r.version == 0 {
			return errNo
		}
		return nil
	})
	for _, want := range []error{nil, errNo} {
		r := row{1, 7}
		if want != nil {
			r.version = 0
		}
		if out, err := echo(t.Context(), r); out != r || err != want {
			t.Errorf("it is %v, %v", out, err)
		}
	}
	if !slices.Equal(got, []row{{1, 7}, {1, 0}}) {
		t.Errorf("the origin was given %v", got)
	}
}

func TestTheOriginHasTheValuesOfTheCallersContext(t *testing.T) {
	type requestID struct{}
	ctx := context.WithValue(t.Context(), requestID{}, "r1")
	p := newProbe()
	saw := func(ctx context.Context) error {
		if ctx.Value(requestID{}) != "r1" {
			t.Error("the values are lost")
		}
		return nil
	}
	w := writethrough.New(p, row.key, writethrough.Echo(func(ctx context.Context, _ row) error { return saw(ctx) }), minute, nil)
	if err := errors.Join(w.Save(ctx, row{1, 7}), writethrough.Delete(p, func(ctx context.Context, _ int) error { return saw(ctx) }, nil)(ctx, 1)); err != nil {
		t.Error(err)
	}
}

// A tag that is invalidated while the origin is written may stand for the very
// row that is written.
func TestATagInvalidatedDuringAWriteKeepsTheValueOut(t *testing.T) {
	for _, tag := range []string{"given", "returned"} {
		d := invalidation.NewDomain()
		store := memstore.New[int, row](d, 10, nil)
		w := writethrough.New(store, row.key, func(ctx context.Context, r row) (row, error) {
			r.version++
			return r, d.InvalidateTags(ctx, tag)
		}, minute, &writethrough.Options[int, row]{
			Tags: func(_ int, r row) []string {
				if r.version == 7 {
					return []string{"given"}
				}
				return []string{"given", "returned"}
			},
		})
		if got, err := w.Write(t.Context(), row{1, 7}); got != (row{1, 8}) || err != nil {
			t.Errorf("Write is %v, %v", got, err)
		}
		if e, _ := store.Get(t.Context(), 1); e != nil {
			t.Errorf("after %q the store has %+v", tag, e)
		}
	}
}
