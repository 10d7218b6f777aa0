package cbor_test

import (
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/codec/cbor"
)

func sample() user {
	return user{Name: "Ada Lovelace", Age: 36, Since: time.Unix(1_700_000_000, 0).UTC(), Photo: make([]byte, 200),
		Friend: &user{Name: "Charles"}, Numbers: map[string][]float64{"scores": {1, 2.5, 100}}}
}

func BenchmarkUser(b *testing.B) {
	for name, c := range map[string]cache.Codec[user]{"JSON": cache.JSON[user](), "CBOR": cbor.New[user]()} {
		data, err := c.Append(nil, sample())
		if err != nil {
			b.Fatal(err)
		}
		b.Run("append/"+name, func(b *testing.B) {
			b.ReportAllocs()
			b.ReportMetric(float64(len(data)), "B/value")
			dst := make([]byte, 0, len(data))
			for b.Loop() {
				c.Append(dst, sample())
			}
		})
		b.Run("decode/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.Decode(data)
			}
		})
	}
}

func TestItAllocatesLessThanJSON(t *testing.T) {
	u := sample()
	count := func(c cache.Codec[user]) (enc, dec float64) {
		data, err := c.Append(nil, u)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, 0, 2*len(data))
		return testing.AllocsPerRun(100, func() { c.Append(dst, u) }), testing.AllocsPerRun(100, func() { c.Decode(data) })
	}
	je, jd := count(cache.JSON[user]())
	ce, cd := count(cbor.New[user]())
	t.Logf("append: %v allocations of CBOR, %v of JSON; decode: %v and %v", ce, je, cd, jd)
	if ce >= je || cd > jd {
		t.Errorf("append: %v allocations of CBOR, %v of JSON; decode: %v and %v", ce, je, cd, jd)
	}
}
