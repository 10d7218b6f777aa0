package redisstore_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/redisstore"
)

// account has fields that JSON does not carry.
type account struct {
	Name     string
	Password string `json:"-"`
	Extra    any
	hits     int
}

// newError returns what New panics with, or "".
func newError[V any](space *redisstore.Space, o *redisstore.StoreOptions[string, V]) (err string) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Sprint(p)
		}
	}()
	redisstore.New(space, "s", o)
	return ""
}

func TestNew_RefusesValuesThatComeBackAsOthers(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	type options = redisstore.StoreOptions[string, account]
	for _, c := range []struct {
		accept  []string
		refused []string
	}{
		{nil, []string{"Password", "Extra", "hits"}},
		{[]string{"Password", "Name"}, []string{"Extra", "hits"}},
		{[]string{"Password", "Extra", "hits"}, nil},
		{[]string{"*"}, nil},
	} {
		err := newError(space, &options{AcceptLosses: c.accept})
		if (err == "") != (c.refused == nil) {
			t.Errorf("with %q accepted, New panics with %q", c.accept, err)
		}
		for _, name := range []string{"Password", "Extra", "hits"} {
			refused := strings.Contains(err, "\n\t"+name+": ") && strings.Contains(err, fmt.Sprintf("%q", name))
			if want := strings.Contains(strings.Join(c.refused, " "), name); refused != want {
				t.Errorf("with %q accepted, New panics with %q: names %s is %v", c.accept, err, name, refused)
			}
		}
		if err != "" && (!strings.Contains(err, "redisstore_test.account") || !strings.Contains(err, "StoreOptions.AcceptLosses: []string{")) {
			t.Errorf("New panics with %q, which does not say what to do", err)
		}
	}
	if err := newError[any](space, nil); !strings.Contains(err, `AcceptLosses: []string{"*"}`) {
		t.Errorf("for any, New panics with %q", err)
	}
	// A codec that says nothing of losses is believed, and so are the bytes themselves.
	if err := newError(space, &options{Codec: opaque{cache.JSON[account]()}}); err != "" {
		t.Errorf("with a codec of one's own, New panics with %q", err)
	}
	if err := newError[[]byte](space, nil) + newError[string](space, nil) + newError[*user](space, nil); err != "" {
		t.Errorf("New panics with %q", err)
	}
}

// opaque is a codec with the four methods alone.
type opaque struct{ cache.Codec[account] }

// What one shape has written is no value of the other, although both are written by
// the same fields.
func TestStore_AStructThatIsEmbeddedNowIsAMiss(t *testing.T) {
	_, rdb := mini(t)
	space := open(t, rdb, "shop")
	type Base struct{ ID int }
	type before struct{ Base }
	type after struct{ Base Base }
	var n cache.Counter
	fill(t, redisstore.New[string, before](space, "s", nil), "k", entry(before{Base{7}}))
	s := redisstore.New(space, "s", &redisstore.StoreOptions[string, after]{Observer: &n})
	if e, err := s.Get(t.Context(), "k"); e != nil || err != nil {
		t.Errorf("it is read as %+v, %v", e, err)
	}
	if n.Count(cache.MissSchema) != 1 {
		t.Errorf("it is no miss by schema: %d", n.Count(cache.MissSchema))
	}
	want(t, redisstore.New[string, before](space, "s", nil), "k", before{Base{7}})
}
