package synthetic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

func settings(t *testing.T) Settings {
	t.Helper()
	sizes, err := ParseSizes("lognormal:500:20000")
	if err != nil {
		t.Fatal(err)
	}
	ttls, err := ParseTTLs("1m-2h")
	if err != nil {
		t.Fatal(err)
	}
	return Settings{
		Popularity: workload.Popularity{Shape: workload.Zipfian, Skew: 0.9}, Keys: 2000, Requests: 50_000, Seed: 7,
		Rate: 100, Writes: 0.1, Deletes: 0.02, Sizes: sizes, TTLs: ttls,
	}
}

func made(t *testing.T, s Settings) *trace.Trace {
	t.Helper()
	tr, err := s.Trace(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func digest(t *testing.T, s Settings) string {
	t.Helper()
	var b bytes.Buffer
	if err := trace.Encode(&b, made(t, s), trace.Larder, trace.Plain); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

func TestSameSettingsSameTrace(t *testing.T) {
	s := settings(t)
	first := digest(t, s)
	if digest(t, s) != first {
		t.Error("two traces of the same settings differ")
	}
	// A change of this digest makes all traces that people wrote before others.
	if want := "145e86"; !strings.HasPrefix(first, want) {
		t.Errorf("the digest is %s, it was %s…", first, want)
	}
	s.Seed++
	if digest(t, s) == first {
		t.Error("another seed gives the same trace")
	}
}

func TestSettingsAreKept(t *testing.T) {
	s := settings(t)
	tr := made(t, s)
	if len(tr.IDs) != s.Requests || tr.Unique != int(slices.Max(tr.IDs))+1 || tr.Unique > s.Keys || tr.Unique < s.Keys/2 {
		t.Errorf("%d requests of %d keys", len(tr.IDs), tr.Unique)
	}
	if last := tr.Times[len(tr.Times)-1]; last != 499 || !slices.IsSorted(tr.Times) {
		t.Errorf("the last request is after %d s", last)
	}
	var n [3]int
	size, ttl := map[uint32]uint32{}, map[uint32]uint32{}
	for i, id := range tr.IDs {
		n[tr.Op(i)]++
		if size[id] == 0 {
			size[id], ttl[id] = tr.Sizes[i], tr.TTLs[i]
		}
		if tr.Sizes[i] != size[id] || tr.TTLs[i] != ttl[id] || tr.Sizes[i] == 0 || tr.TTLs[i] < 60 || tr.TTLs[i] > 7200 {
			t.Fatalf("request %d has a size of %d and a TTL of %d", i, tr.Sizes[i], tr.TTLs[i])
		}
	}
	for op, share := range []float64{0.88, 0.1, 0.02} {
		want := share * float64(s.Requests)
		if math.Abs(float64(n[op])-want) > 6*math.Sqrt(want) {
			t.Errorf("%d requests are a %s, expected %.0f", n[op], trace.Op(op), want)
		}
	}
	plain := s
	plain.Writes, plain.Deletes, plain.Sizes, plain.TTLs = 0, 0, Spread{}, Spread{}
	other := made(t, plain)
	if other.Ops != nil || other.Sizes != nil || other.TTLs != nil || !slices.Equal(other.IDs, tr.IDs) {
		t.Error("without operations, sizes and TTLs there are other columns or keys")
	}
}

func TestIDsAreTheSameFromTableAndMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	table, known := newIDs(100, 1000), newIDs(1000, 10)
	if table.table == nil || known.known == nil {
		t.Fatal("both are the same")
	}
	for range 1000 {
		k := rng.Uint32N(100)
		a, freshA := table.of(k)
		b, freshB := known.of(k)
		if a != b || freshA != freshB {
			t.Fatalf("key %d is %d and %d", k, a, b)
		}
	}
}

func TestKeysThatComeOnceStay(t *testing.T) {
	p, err := workload.ParsePopularity("uniform+onehit:0.5")
	if err != nil {
		t.Fatal(err)
	}
	tr := made(t, Settings{Popularity: p, Keys: 10, Requests: 10_000, Rate: 1})
	if tr.Unique < 4500 || tr.Unique > 5600 {
		t.Errorf("%d keys", tr.Unique)
	}
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	for part, change := range map[string]func(*Settings){
		"keys":            func(s *Settings) { s.Keys = 0 },
		"requests":        func(s *Settings) { s.Requests = 0 },
		"rate is 0":       func(s *Settings) { s.Rate = 0 },
		"rate is NaN":     func(s *Settings) { s.Rate = math.NaN() },
		"136 years":       func(s *Settings) { s.Rate = 1e-9 },
		"writes and":      func(s *Settings) { s.Writes = 0.99 },
		"deletes are -1":  func(s *Settings) { s.Writes = -1 },
		"deletes are 0.1": func(s *Settings) { s.Deletes = math.NaN() },
	} {
		s := settings(t)
		change(&s)
		if _, err := s.Trace(t.Context()); err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(part, "deletes are ")) {
			t.Errorf("%s: error is %v", part, err)
		}
	}
}

func TestTraceEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := settings(t).Trace(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestSpreads(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	draws := func(s Spread) []uint32 {
		all := make([]uint32, 20_000)
		for i := range all {
			all[i] = s.draw(rng)
		}
		slices.Sort(all)
		return all
	}
	for text, want := range map[string][3]uint32{ // the first, the median, the last
		"7": {7, 7, 7}, "1-3": {1, 2, 3}, "5-5": {5, 5, 5}, "4294967295": {math.MaxUint32, math.MaxUint32, math.MaxUint32},
	} {
		s, err := ParseSizes(text)
		if err != nil || s.String() != text {
			t.Fatalf("%s: %v, %v", text, s, err)
		}
		all := draws(s)
		if got := [3]uint32{all[0], all[len(all)/2], all[len(all)-1]}; got != want {
			t.Errorf("%s draws %d, want %d", text, got, want)
		}
	}
	s, err := ParseTTLs("lognormal:10m:24h")
	if err != nil {
		t.Fatal(err)
	}
	all := draws(s)
	median, p99 := float64(all[len(all)/2]), float64(all[len(all)*99/100])
	if math.Abs(median/600-1) > 0.1 || math.Abs(p99/86400-1) > 0.25 || all[0] < 1 {
		t.Errorf("the median is %v, the 99th percentile %v", median, p99)
	}
	if all := draws(Spread{}); all[0] != 0 || all[len(all)-1] != 0 {
		t.Error("none draws something")
	}
}

func TestSpreadsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "0", "x", "-1", "1-", "5-1", "1-2-3", "lognormal", "lognormal:1", "lognormal:5:1", "lognormal:1:2:3", "4294967296", "1e3"} {
		if s, err := ParseSizes(text); err == nil {
			t.Errorf("sizes of %q are %v", text, s)
		}
	}
	for _, text := range []string{"", "60", "1ms", "0s", "-1h", "90000h", "1h-1m", "lognormal:1h"} {
		if s, err := ParseTTLs(text); err == nil {
			t.Errorf("TTLs of %q are %v", text, s)
		}
	}
}
