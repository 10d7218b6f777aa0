package redisstore

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// spaceFor returns a space on a server in this process.
func spaceFor(t *testing.T) *Space {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { rdb.Close() })
	space, err := Open(t.Context(), rdb, "shop", &Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return space
}

func store(t *testing.T, s *Store[int, string], k int, v string, tags ...string) {
	t.Helper()
	now := cache.Now()
	ok, err := cache.Put(t.Context(), s, k, &cache.Entry[string]{Value: v, Tags: tags, Fresh: now.Add(time.Minute), Expires: now.Add(time.Hour)})
	if err != nil || !ok {
		t.Fatalf("Put is %v, %v", ok, err)
	}
}

// isPart reports whether the bytes of s are among those of whole.
func isPart(s string, whole ...string) bool {
	at := uintptr(unsafe.Pointer(unsafe.StringData(s)))
	for _, w := range whole {
		from := uintptr(unsafe.Pointer(unsafe.StringData(w)))
		if s != "" && at >= from && at < from+uintptr(len(w)) {
			return true
		}
	}
	return false
}

// A reply to many callers is one piece of memory: a small value from it must not
// keep the large ones beside it alive.
func TestNothingThatIsKeptIsAPartOfTheReply(t *testing.T) {
	space := spaceFor(t)
	store(t, New[int, string](space, "s", nil), 1, "small", "org:acme", "org:other")
	expired := cache.Now().Add(time.Hour)
	for _, state := range []string{"read", "damaged", "later", "other tags"} {
		s := New[int, string](space, "s", nil)
		key := s.key(1)
		v := view{space: space}
		v.value(key)
		v.watch()
		if err := v.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		switch raw := []byte(v.raws[0]); state {
		case "damaged":
			raw[len(raw)-1] ^= 1
			v.raws[0] = string(raw)
		case "later":
			raw[headerSize+len(magic)] |= 0x80
			v.raws[0] = string(raw[:headerSize]) + reseal(string(raw[headerSize:len(raw)-4]))
		case "other tags":
			s.hints.put(key, []string{"gone"}, "")
		}
		whole := []string{v.raws[0]}
		e, kind, err := s.entry(t.Context(), &v, 0)
		if err != nil {
			t.Fatal(err)
		}
		whole = append(whole, append(v.versions, v.stars...)...)
		h := s.hints.get(key)
		kept := append([]string{h.rejected}, h.tags...)
		if e != nil {
			kept = append(append(kept, e.Value), e.Tags...)
			if e.Expires < expired.Add(-time.Minute) || len(e.Tags) != 2 {
				t.Fatalf("%s: the entry is %+v", state, e)
			}
		} else if kind == cache.Hit || h.rejected == "" {
			t.Errorf("%s: the miss is %v, and %q is remembered", state, kind, h.rejected)
		}
		for _, k := range kept {
			if isPart(k, whole...) {
				t.Errorf("%s: %q is a part of the reply", state, k)
			}
		}
		for _, n := range v.names { // lives as long as the view, but hints share it
			if isPart(n, whole...) {
				t.Errorf("%s: the name %q is a part of the reply", state, n)
			}
		}
	}
	if s := "a string"; !isPart(s[2:3], s) || isPart(strings.Clone(s), s) {
		t.Error("isPart is wrong")
	}
}

// halved reads what is twice the same as one half.
type halved struct{}

func (halved) Compress(dst, src []byte) ([]byte, byte) { return append(dst, src[:len(src)/2]...), 4 }
func (halved) Reads(method byte) bool                  { return method == 4 }
func (halved) Decompress(dst, src []byte, _ byte, _ int) ([]byte, error) {
	return append(append(dst, src...), src...), nil
}

// From the reply to memory, a value is copied once: by its codec.
func TestAValueIsCopiedOnceOnItsWayOut(t *testing.T) {
	const size = 256 << 10
	for name, compressor := range map[string]cache.Compressor{"plain": nil, "compressed": halved{}} {
		space := spaceFor(t)
		texts := New(space, "s", &StoreOptions[int, string]{Compressor: compressor})
		store(t, texts, 1, strings.Repeat("ab", size/2))
		bytes := New(space, "s", &StoreOptions[int, []byte]{Codec: textBytes{}, Compressor: compressor})
		v := view{space: space}
		v.value(texts.key(1))
		v.watch()
		if err := v.read(t.Context()); err != nil {
			t.Fatal(err)
		}
		for what, get := range map[string]func() int{
			"string": func() int {
				e, _, _ := texts.entry(t.Context(), &v, 0)
				return len(e.Value)
			},
			"[]byte": func() int {
				e, _, _ := bytes.entry(t.Context(), &v, 0)
				return len(e.Value)
			},
		} {
			least := ^uint64(0)
			for range 20 { // at first there is no scratch memory, and others allocate too
				least = min(least, allocated(func() {
					if n := get(); n != size {
						t.Fatalf("%s, %s: %d bytes come back", name, what, n)
					}
				}))
			}
			if least < size || least > size+size/16 {
				t.Errorf("%s, %s: %d bytes are allocated for a value of %d", name, what, least, size)
			}
		}
	}
}

// textBytes reads with cache.Bytes what cache.Text writes.
type textBytes struct{ cache.Bytes }

func (textBytes) ID() byte { return cache.Text{}.ID() }

// live returns how many bytes are in use.
func live() uint64 {
	runtime.GC()
	runtime.GC() // what a pool has is dropped by the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestOfLargeRepliesOnlyTheValueStays(t *testing.T) {
	space := spaceFor(t)
	s := New[int, string](space, "s", nil)
	const n = 30
	for k := range n {
		store(t, s, k, fmt.Sprint(k))
		store(t, s, 1000+k, strings.Repeat("x", 256<<10))
	}
	var kept []*cache.Entry[string]
	before := live()
	for k := range n { // each small value comes in one reply with a large one
		got, err := s.GetMany(t.Context(), []int{k, 1000 + k})
		if err != nil || len(got) != 2 {
			t.Fatalf("GetMany is %v, %v", got, err)
		}
		kept = append(kept, got[k])
	}
	if grown := int64(live()) - int64(before); grown > n*256<<10/4 {
		t.Errorf("%d small values keep %d bytes alive", n, grown)
	}
	for k, e := range kept {
		if e.Value != fmt.Sprint(k) {
			t.Errorf("%d is %q", k, e.Value)
		}
	}
}
