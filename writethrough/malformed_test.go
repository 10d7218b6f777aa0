package writethrough_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/writethrough"
)

func TestWriter_AMalformedTagThatIsKnownBeforeTheWriteIsNotStarted(t *testing.T) {
	for _, bad := range []string{"", strings.Repeat("t", 4097)} {
		for what, o := range map[string]writethrough.Options[int, row]{
			"Tags":        {Tags: func(int, row) []string { return []string{"good", bad} }},
			"Invalidates": {Invalidates: func(int, row) []string { return []string{"good", bad} }},
		} {
			for _, open := range []bool{false, true} {
				p := newProbe()
				o.Domain, o.FailOpen = p, open
				err := writethrough.New(p, row.key, p.write, minute, &o).Save(t.Context(), row{1, 7})
				if !errors.Is(err, cache.ErrNotStarted) || !strings.Contains(err.Error(), what) {
					t.Errorf("%s, FailOpen: %v: %v", what, open, err)
				}
				p.expectLog(t)
			}
		}
	}
	for _, open := range []bool{false, true} {
		p := newProbe()
		del := writethrough.Delete(p, func(context.Context, int) error { p.log = append(p.log, "delete"); return nil },
			&writethrough.DeleteOptions[int]{Domain: p, FailOpen: open, Invalidates: func(int) []string { return []string{"good", ""} }})
		if err := del(t.Context(), 1); !errors.Is(err, cache.ErrNotStarted) {
			t.Errorf("Delete, FailOpen: %v: %v", open, err)
		}
		p.expectLog(t)
	}
}

func TestWriter_AMalformedTagOfWhatCameBackDoesNotKeepTheOthersFromBeingInvalidated(t *testing.T) {
	p := newProbe()
	w := writethrough.New(p, row.key, p.write, minute, &writethrough.Options[int, row]{Domain: p, Invalidates: func(_ int, r row) []string {
		if r.version == 8 {
			return []string{"", "came back"}
		}
		return []string{"given"}
	}})
	if _, err := w.Write(t.Context(), row{1, 7}); !isPostCommit(err) || !strings.Contains(err.Error(), "empty") {
		t.Errorf("the error is %v", err)
	}
	p.expectLog(t, "quarantine", "write", "commit", "tags[given came back]")
}

func TestWriter_AValueWithAMalformedTagIsWrittenAndNotInstalled(t *testing.T) {
	var seen events
	p := newProbe()
	p.put(t, row{1, 5})
	w := writethrough.New(p, row.key, p.write, minute, &writethrough.Options[int, row]{Observer: &seen, Tags: func(_ int, r row) []string {
		if r.version == 8 {
			return []string{""}
		}
		return []string{"rows"}
	}})
	if got, err := w.Write(t.Context(), row{1, 7}); err != nil || got.version != 8 || p.has(1) != 0 {
		t.Errorf("Write is %v, %v, the store has %d", got, err, p.has(1))
	}
	if len(seen) != 1 || seen[0].Kind != cache.FillRefused || !errors.Is(seen[0].Err, cache.ErrNotStorable) {
		t.Errorf("observed: %+v", seen)
	}
	p.put(t, row{1, 9}) // the key is free
}
