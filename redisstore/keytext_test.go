package redisstore

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The key types below are what programs have: some lose a part of themselves when
// they are written as text.
type (
	keyUUID    [16]byte
	keyMasked  string // writes itself for logs
	keyFolded  string // reads back, but in lower case
	keyColor   int    // an enum that writes only what it knows
	keyMarked  string // its texts look like those of the other kind
	keyPrivate struct {
		tenant string
		id     int
	}
	keySecret struct { // leaves a field out, and reads itself
		_    int
		id   int
		part [2]byte
	}
	keyPanics uint8
	keyFloat  float64
	keyTenant struct {
		KeyUUID
		Tenant string
	}
	keyDay struct {
		time.Time
		Shop int
	}
	keyNested struct {
		Color  keyColor
		Colors [2]keyColor
		Masked keyMasked
		Name   string
		Pair   [2][1]string
		None   struct{}
		On     bool
	}
	keyPeer struct {
		Addr netip.Addr
		Name string
	}
)

// KeyUUID is exported, since only an exported type can be embedded in a key.
type KeyUUID keyUUID

func (u KeyUUID) MarshalText() ([]byte, error) { return keyUUID(u).MarshalText() }

func (u *KeyUUID) UnmarshalText(b []byte) error { return (*keyUUID)(u).UnmarshalText(b) }

func (u keyUUID) MarshalText() ([]byte, error) {
	return fmt.Appendf(nil, "%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:]), nil
}

func (u *keyUUID) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(strings.ReplaceAll(string(b), "-", ""))
	if copy(u[:], raw) != len(u) {
		return errors.New("too short")
	}
	return err
}

func (keyMasked) MarshalText() ([]byte, error) { return []byte("***"), nil }

func (f keyFolded) MarshalText() ([]byte, error)  { return []byte(strings.ToLower(string(f))), nil }
func (f *keyFolded) UnmarshalText(b []byte) error { *f = keyFolded(b); return nil }

var keyColors = []string{"red", "green"}

func (c keyColor) MarshalText() ([]byte, error) {
	if c < 0 || int(c) >= len(keyColors) {
		return nil, errors.New("no such color")
	}
	return []byte(keyColors[c]), nil
}

func (c *keyColor) UnmarshalText(b []byte) error {
	for i, name := range keyColors {
		if name == string(b) {
			*c = keyColor(i)
			return nil
		}
	}
	return errors.New("no such color")
}

func (m keyMarked) MarshalText() ([]byte, error) {
	if strings.HasPrefix(string(m), "lost") {
		return nil, errors.New("lost")
	}
	return []byte(strings.ReplaceAll(string(m), "?", "!")), nil
}

func (m *keyMarked) UnmarshalText(b []byte) error {
	*m = keyMarked(strings.ReplaceAll(string(b), "!", "?"))
	return nil
}

// keyCrossed writes one of its values as another, which it cannot write.
type keyCrossed string

func (c keyCrossed) MarshalText() ([]byte, error) {
	if c == "a|b" {
		return nil, errors.New("not written")
	}
	return []byte(strings.Replace(string(c), "true", "a|b", 1)), nil
}

func (c *keyCrossed) UnmarshalText(b []byte) error {
	*c = keyCrossed(strings.Replace(string(b), "a|b", "true", 1))
	return nil
}

func (k keyPrivate) MarshalText() ([]byte, error) { return []byte(k.tenant), nil }

func (k keySecret) MarshalText() ([]byte, error) { return strconv.AppendInt(nil, int64(k.id), 10), nil }
func (k *keySecret) UnmarshalText(b []byte) (err error) {
	k.id, err = strconv.Atoi(string(b))
	return err
}

func (k keyPanics) MarshalText() ([]byte, error) {
	if k%2 == 0 {
		panic("even")
	}
	return []byte("odd"), nil
}
func (k *keyPanics) UnmarshalText([]byte) error { panic("no text is read") }

func (f keyFloat) MarshalText() ([]byte, error)  { return []byte("f"), nil }
func (f *keyFloat) UnmarshalText(b []byte) error { return nil }

// compareTexts returns a function that fails the test unless two keys have one text
// exactly if they are equal.
func compareTexts[K comparable](t testing.TB) func(t testing.TB, a, b K) {
	text, err := keyText[K]()
	if err != nil {
		t.Fatalf("%T: %v", *new(K), err)
	}
	return func(t testing.TB, a, b K) {
		t.Helper()
		x, xOK := text(a)
		y, yOK := text(b)
		if (a == b) != (x == y && xOK == yOK) {
			t.Errorf("the keys %#v and %#v have the texts %q and %q", a, b, x, y)
		}
	}
}

// compareAll returns what compares keys of all the types above, each made of two strings.
func compareAll(t testing.TB) func(t testing.TB, a, b, c, d string) {
	number := func(s string) int {
		n, err := strconv.Atoi(s)
		if err != nil {
			return len(s)
		}
		return n
	}
	uuid := func(a, b string) (u keyUUID) {
		copy(u[copy(u[:8], a):], b)
		return u
	}
	addr := func(a, b string) netip.Addr {
		ip := netip.AddrFrom16(uuid(a, b))
		if len(a) == 4 {
			return ip.Unmap()
		}
		return ip.WithZone(b)
	}
	nested := func(a, b string) keyNested {
		return keyNested{keyColor(number(a)), [2]keyColor{keyColor(number(b)), keyColor(len(a))}, keyMasked(b), a,
			[2][1]string{{b}, {a}}, struct{}{}, a < b}
	}
	var (
		uuids    = compareTexts[keyUUID](t)
		masked   = compareTexts[keyMasked](t)
		folded   = compareTexts[keyFolded](t)
		colors   = compareTexts[keyColor](t)
		marked   = compareTexts[keyMarked](t)
		crossed  = compareTexts[keyCrossed](t)
		private  = compareTexts[keyPrivate](t)
		secrets  = compareTexts[keySecret](t)
		panics   = compareTexts[keyPanics](t)
		tenants  = compareTexts[keyTenant](t)
		nesteds  = compareTexts[keyNested](t)
		peers    = compareTexts[keyPeer](t)
		plain    = compareTexts[struct{ A, B string }](t)
		embedded = compareTexts[struct {
			netip.Addr
			Port uint16
		}](t)
	)
	return func(t testing.TB, a, b, c, d string) {
		t.Helper()
		plain(t, struct{ A, B string }{a, b}, struct{ A, B string }{c, d})
		uuids(t, uuid(a, b), uuid(c, d))
		masked(t, keyMasked(a), keyMasked(c))
		folded(t, keyFolded(a), keyFolded(c))
		colors(t, keyColor(number(a)), keyColor(number(c)))
		marked(t, keyMarked(a), keyMarked(c))
		marked(t, keyMarked(b), keyMarked(d))
		crossed(t, keyCrossed(a), keyCrossed(c))
		private(t, keyPrivate{a, number(b)}, keyPrivate{c, number(d)})
		secrets(t, keySecret{id: number(a), part: [2]byte{byte(len(b))}}, keySecret{id: number(c), part: [2]byte{byte(len(d))}})
		panics(t, keyPanics(number(a)), keyPanics(number(c)))
		tenants(t, keyTenant{KeyUUID(uuid(a, b)), b}, keyTenant{KeyUUID(uuid(c, d)), d})
		tenants(t, keyTenant{KeyUUID(uuid(a, a)), b}, keyTenant{KeyUUID(uuid(a, a)), d})
		nesteds(t, nested(a, b), nested(c, d))
		peers(t, keyPeer{addr(a, b), b}, keyPeer{addr(c, d), d})
		embedded(t, struct {
			netip.Addr
			Port uint16
		}{addr(a, b), uint16(number(b))}, struct {
			netip.Addr
			Port uint16
		}{addr(c, d), uint16(number(d))})
	}
}

func FuzzKeyTextIsInjective(f *testing.F) {
	f.Add("a", "b", "a|b", "")
	f.Add("a|", "b", "a", "|b")
	f.Add("%7C", "", "|", "")
	f.Add("7", "1", "8", "1")
	f.Add("A", "?x", "a", "!x")
	f.Add("lost", "lost?", "?lost", "lost")
	f.Add("2", "1.2.3.4", "4", "1.2.3.4")
	compare := compareAll(f)
	s := &Space{ns: "n", lanes: 16}
	s.makeKeys()
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		compare(t, a, b, c, d)
		compare(t, a, b, a, d)
		compare(t, a, b, c, b)
		compare(t, a, b, a, b)
		if a != c && s.tagKey(a) == s.tagKey(c) {
			t.Fatalf("the tags %q and %q have the same key", a, c)
		}
		for lane := range s.lanes {
			if k := s.tagKey(a); k == s.starKey(lane) || k == s.laneKey(lane) || strings.HasPrefix(k, "n:v:") {
				t.Fatalf("the tag %q has the key %q of something else", a, k)
			}
		}
	})
}

func TestKeyText_DiffersForDifferentKeys(t *testing.T) {
	compare := compareAll(t)
	r := rand.New(rand.NewPCG(1, 2))
	parts := []string{"", "|", "%", "a", "A", "a|b", "%7C", "1", "2", "17", "-1", "true", "!", "!1", "?", "?1", "lost", "red", "***", "1234", "odd", "\xff", "\xfe"}
	pick := func() string { return parts[r.IntN(len(parts))] }
	for range 20_000 {
		compare(t, pick(), pick(), pick(), pick())
	}
}

// Servers in use hold values under these texts.
func TestKeyText_StaysWhatItIs(t *testing.T) {
	type id int32
	type composite struct {
		Tenant string
		ID     id
		On     bool
		Raw    [2]byte
		Pair   [2]string
		Color  keyColor
	}
	uuid := keyUUID{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}
	peer := netip.MustParseAddr("fe80::1%eth0")
	for want, got := range map[string]string{
		"a|b":                                  textOfKey(t, "a|b"),
		"-7":                                   textOfKey(t, id(-7)),
		"true":                                 textOfKey(t, true),
		"6ba7b810-9dad-11d1-80b4-00c04fd430c8": textOfKey(t, uuid),
		"fe80::1%eth0":                         textOfKey(t, peer),
		"10.0.0.0/8":                           textOfKey(t, netip.MustParsePrefix("10.0.0.0/8")),
		"[::1]:80":                             textOfKey(t, netip.MustParseAddrPort("[::1]:80")),
		"green":                                textOfKey(t, keyColor(1)),
		"fe80::1%25eth0|x":                     textOfKey(t, keyPeer{peer, "x"}),
		"a%7Cb|3|false|01ff|x%7Cy|red":         textOfKey(t, composite{"a|b", 3, false, [2]byte{1, 255}, [2]string{"x", "y"}, 0}),
	} {
		if got != want {
			t.Errorf("a key has the text %q, want %q", got, want)
		}
	}
	// And these begin with the mark, as their own texts cannot be read back.
	for want, got := range map[string]string{
		"!17":  textOfKey(t, keyColor(17)),
		"!A@x": textOfKey(t, keyFolded("A@x")),
		"!6ba7b810-9dad-11d1-80b4-00c04fd430c8|t1": textOfKey(t, keyTenant{KeyUUID(uuid), "t1"}),
	} {
		if got != want {
			t.Errorf("a key has the text %q, want %q", got, want)
		}
	}
}

func textOfKey[K comparable](t *testing.T, k K) string {
	t.Helper()
	text, err := keyText[K]()
	if err != nil {
		t.Errorf("%#v: %v", k, err)
		return ""
	}
	s, _ := text(k)
	return s
}

func TestKeyText_RefusesTypesByName(t *testing.T) {
	refused := func(err error, names ...string) {
		t.Helper()
		for _, name := range append(names, "set StoreOptions.Key") {
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("the error is %v, which does not say %s", err, name)
			}
		}
	}
	refused(errOf(keyText[float64]()), "float64", "-0")
	refused(errOf(keyText[keyFloat]()), "redisstore.keyFloat")
	refused(errOf(keyText[*int]()), "*int")
	refused(errOf(keyText[any]()), "interface {}")
	refused(errOf(keyText[error]()), "error")
	refused(errOf(keyText[chan int]()), "chan int")
	refused(errOf(keyText[struct{ a int }]()), "field a", "unexported")
	refused(errOf(keyText[struct{ A [2]struct{ B *keyColor } }]()), "field A", "field B", "*redisstore.keyColor")
	refused(errOf(keyText[time.Time]()), "time.Time", "field loc", "*time.Location")
	refused(errOf(keyText[keyDay]()), "field Time", "field loc")
}

func errOf(_ any, err error) error { return err }
