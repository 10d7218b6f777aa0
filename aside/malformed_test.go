package aside_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// refusals keeps the errors of fills that were refused.
type refusals struct{ errs chan error }

func (r refusals) Observe(e cache.Event) {
	if e.Kind == cache.FillRefused && e.Err != nil {
		r.errs <- e.Err
	}
}

// next returns the first that was not returned yet, or nil.
func (r refusals) next() error {
	select {
	case err := <-r.errs:
		return err
	default:
		return nil
	}
}

func TestTags_AValueWithATagThatIsMalformedIsNotStoredAndObserved(t *testing.T) {
	for _, bad := range []string{"", strings.Repeat("t", 4097)} {
		tags := func() []string { return []string{"good", bad} }
		for what, o := range map[string]aside.Options[int, int]{
			"Tags":    {Tags: func(int, int) []string { return tags() }},
			"KeyTags": {KeyTags: func(int) []string { return tags() }},
		} {
			seen := refusals{make(chan error, 10)}
			o.Observer = seen
			store := memstore.New[int, int](nil, 10, nil)
			loads := 0
			l := aside.New(store, func(context.Context, int) (int, error) { loads++; return loads, nil }, invalidation.TTL(time.Minute), &o)
			for want := range 2 {
				if v, err := l.Get(t.Context(), 1); v != want+1 || err != nil {
					t.Errorf("%s: %d, %v", what, v, err)
				}
				if err := l.Wait(t.Context()); err != nil { // for the commit
					t.Error(err)
				}
				if err := seen.next(); !errors.Is(err, cache.ErrNotStorable) || !strings.Contains(err.Error(), "Tags") {
					t.Errorf("%s: observed %v", what, err)
				}
			}
			if e, err := store.Get(t.Context(), 1); e != nil || err != nil {
				t.Errorf("%s: the store has %v, %v", what, e, err)
			}
			if err := l.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}
