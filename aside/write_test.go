package aside_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
)

// A load that began before the commit of a writer has the old value. Who comes
// after the commit must not share it, although the writer still holds the key.
func TestWhoComesDuringAWriteLoadsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, version := newProbe(nil), atomic.Int64{}
		l := aside.New(p, func(context.Context, int) (int, error) {
			v := version.Load()
			time.Sleep(10 * time.Second)
			return int(v), nil
		}, invalidation.TTL(time.Hour), nil)
		get := func() (int, error) { return l.Get(t.Context(), 1) }
		writer, err := p.Quarantine(t.Context(), cache.Slot[int]{Key: 1})
		if err != nil {
			t.Fatal(err)
		}
		before := begin(get)
		time.Sleep(5 * time.Second)
		version.Store(1) // the commit of the origin
		after := begin(get)
		time.Sleep(time.Minute)
		synctest.Wait()
		if !before.done() || before.got != 0 || !after.done() || after.got != 1 {
			t.Errorf("before the commit %v, after it %v", before, after)
		}
		if err := writer.Cancel(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
