package workload

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

func popularity(t *testing.T, text string) Popularity {
	t.Helper()
	p, err := ParsePopularity(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// digests are those of 10,000 keys of 1,000. A change of one makes all earlier results
// with this popularity incomparable.
var digests = map[string]string{
	"uniform":              "ddf5b5c5",
	"zipf:0.99":            "7b28fb45",
	"zipf:0.5":             "eb36a7a3",
	"hotspot:20:80":        "bd5c8935",
	"latest:0.99":          "e3b55324",
	"latest:0.99:0":        "86460b44",
	"loop":                 "1933bb75",
	"shift:0.99:1000":      "17bdcca5",
	"exponential":          "6a663c55",
	"gaussian":             "f2666ff6",
	"zipf:0.99+onehit:0.3": "8b27da82",
}

func TestSameSeedSameKeys(t *testing.T) {
	digest := func(p Popularity, seed uint64) string {
		s, h := p.Open(source(seed), 1000), sha256.New()
		for range 10_000 {
			h.Write(binary.LittleEndian.AppendUint32(nil, s.Next()))
		}
		return hex.EncodeToString(h.Sum(nil))
	}
	for text, want := range digests {
		p := popularity(t, text)
		if got := digest(p, 1); got != digest(p, 1) || !strings.HasPrefix(got, want) || want == "" {
			t.Errorf("%s: the digest is %s, it was %s…", p, got, want)
		}
		if p.Shape != Loop && digest(p, 1) == digest(p, 2) {
			t.Errorf("%s: another seed gives the same keys", p)
		}
	}
}

// weights returns what the popularity of each rank should be, not normalised.
func weights(p Popularity, keys int) []float64 {
	w := make([]float64, keys)
	n := float64(keys)
	for k := range w {
		x := float64(k)
		switch p.Shape {
		case Uniform:
			w[k] = 1
		case Zipfian, Shift, Latest:
			w[k] = math.Pow(x+1, -p.Skew)
		case Exponential:
			w[k] = math.Exp(-x / (p.Spread / 100 * n))
		case Gaussian:
			below := func(x float64) float64 { return math.Erf((x - n/2) / (p.Spread / 100 * n * math.Sqrt2)) }
			w[k] = below(x+1) - below(x)
		case Hotspot:
			if hot := max(1, math.Round(p.HotKeys/100*n)); x < hot {
				w[k] = p.HotRequests / 100 / hot
			} else {
				w[k] = (1 - p.HotRequests/100) / (n - hot)
			}
		}
	}
	return w
}

// chiSquare returns how far counts are from the weights, in standard deviations of the
// chi-square distribution. Ranks of which few are expected are counted together.
func chiSquare(got []int, w []float64) float64 {
	draws, sum := 0, 0.0
	for k := range w {
		draws += got[k]
		sum += w[k]
	}
	chi, cells, few, fewWant := 0.0, 0, 0, 0.0
	cell := func(got int, want float64) {
		chi += (float64(got) - want) * (float64(got) - want) / want
		cells++
	}
	for k := range w {
		if want := w[k] / sum * float64(draws); want >= 10 {
			cell(got[k], want)
		} else if few, fewWant = few+got[k], fewWant+want; fewWant >= 10 {
			cell(few, fewWant)
			few, fewWant = 0, 0
		}
	}
	free := float64(cells - 1)
	return (chi - free) / math.Sqrt(2*free)
}

// ranks returns for each key its rank, as scattered makes it of the first numbers of the
// seed.
func ranks(seed uint64, keys int) []int {
	of, rank := newScatter(source(seed), keys), make([]int, keys)
	for r := range rank {
		rank[of.key(r)] = r
	}
	return rank
}

func TestKeysHaveExactFrequencies(t *testing.T) {
	const draws, seed = 500_000, 3
	for _, text := range []string{"uniform", "zipf:0.1", "zipf:0.5", "zipf:0.99", "zipf:1", "zipf:1.01", "zipf:1.5", "zipf:3",
		"hotspot:20:80", "hotspot:1:50", "hotspot:50:10", "exponential:10", "exponential:90", "gaussian:5", "gaussian:100"} {
		p := popularity(t, text)
		for _, keys := range []int{10, 1000} {
			s, rank := p.Open(source(seed), keys), ranks(seed, keys)
			got := make([]int, keys)
			for range draws {
				k := int(s.Next())
				if p.Shape != Uniform {
					k = rank[k]
				}
				got[k]++
			}
			if far := chiSquare(got, weights(p, keys)); math.Abs(far) > 5 {
				t.Errorf("%s of %d keys is %.1f deviations away", p, keys, far)
			}
		}
	}
}

func TestChiSquareTellsSkewsApart(t *testing.T) {
	s, rank, got := popularity(t, "zipf:0.99").Open(source(3), 1000), ranks(3, 1000), make([]int, 1000)
	for range 500_000 {
		got[rank[s.Next()]]++
	}
	if far := chiSquare(got, weights(Popularity{Shape: Zipfian, Skew: 0.97}, 1000)); far < 5 {
		t.Errorf("0.99 passes for 0.97: %.1f deviations", far)
	}
}

func TestLatestPrefersTheNewestKeys(t *testing.T) {
	const keys, draws = 1000, 500_000
	p := popularity(t, "latest:0.99:0")
	s := p.Open(source(1), keys)
	newest, got := keys-1, make([]int, keys)
	for i := range draws {
		if i%100 == 99 {
			newest = (newest + 1) % keys
			if k := s.Insert(); int(k) != newest {
				t.Fatalf("key %d was inserted after %d", k, newest-1)
			}
		}
		got[(newest-int(s.Next())+keys)%keys]++
	}
	if far := chiSquare(got, weights(p, keys)); math.Abs(far) > 5 {
		t.Errorf("the ages are %.1f deviations away", far)
	}
}

func TestLatestAdvancesByItself(t *testing.T) {
	s := popularity(t, "latest:0.99:20").Open(source(1), 1000)
	for i := 1; i <= 50_000; i++ {
		if k := s.Next(); i%20 == 0 && int(k) != (i/20-1)%1000 {
			t.Fatalf("request %d is of key %d, not of a new one", i, k)
		}
	}
}

func TestLoopMeetsAllKeysInTurn(t *testing.T) {
	s := popularity(t, "loop").Open(source(1), 7)
	for i := range 30 {
		if k := s.Next(); int(k) != i%7 {
			t.Fatalf("request %d is of key %d", i, k)
		}
	}
}

func TestShiftMovesTheHotKeys(t *testing.T) {
	const keys, every = 1000, 50_000
	p := popularity(t, "shift:0.99:50000")
	s := p.Open(source(1), keys)
	last := -1
	for phase := range 5 {
		got, hottest := make([]int, keys), 0
		for range every {
			got[s.Next()]++
		}
		for k, n := range got {
			if n > got[hottest] {
				hottest = k
			}
		}
		sum := 0.0
		for _, w := range weights(p, keys) {
			sum += w
		}
		if want := every / sum; math.Abs(float64(got[hottest])-want) > 5*math.Sqrt(want) {
			t.Errorf("phase %d: the hottest key has %d requests, expected %.0f", phase, got[hottest], want)
		}
		if hottest == last {
			t.Errorf("phase %d: the hottest key is %d as before", phase, hottest)
		}
		last = hottest
	}
}

func TestOneHitKeysComeOnceAndBeyondTheOthers(t *testing.T) {
	const keys, draws = 1000, 100_000
	s := popularity(t, "uniform+onehit:0.3").Open(source(1), keys)
	once := 0
	for range draws {
		if k := int(s.Next()); k >= keys {
			if k != keys+once {
				t.Fatalf("key %d, not %d", k, keys+once)
			}
			once++
		}
	}
	if want := 0.3 * draws; math.Abs(float64(once)-want) > 5*math.Sqrt(want*0.7) {
		t.Errorf("%d keys came once, expected %.0f", once, want)
	}
}

func TestOpenRefusesWhatMakesNoSense(t *testing.T) {
	for part, open := range map[string]func(){
		"keys is 0":    func() { Popularity{}.Open(source(1), 0) },
		"Shape is 200": func() { Popularity{Shape: 200}.Open(source(1), 1) },
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.Contains(r, part) {
					t.Errorf("panic %q, want %q", r, part)
				}
			}()
			open()
		}()
	}
}

func BenchmarkKeys(b *testing.B) {
	for text := range digests {
		p, _ := ParsePopularity(text)
		s := p.Open(source(1), 1_000_000)
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				s.Next()
			}
		})
	}
}
