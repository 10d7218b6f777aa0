package workload

import (
	"math"
	"testing"
	"time"
)

func TestDistributionsHaveTheShapeTheyAreNamedAfter(t *testing.T) {
	for text, want := range map[string]struct{ p50, p99, mean float64 }{
		"256":                 {256, 256, 256},
		"10k":                 {10_000, 10_000, 10_000},
		"uniform:100:1100":    {600, 1090, 600},
		"lognormal:256:4k":    {256, 4000, 256 * math.Exp(math.Pow(math.Log(4000.0/256)/2.3263, 2)/2)},
		"100=90, 1k=9,100k=1": {100, 1000, 90 + 90 + 1000},
		"uniform:5:5":         {5, 5, 5},
		"lognormal:1M:2M":     {1e6, 2e6, 1e6 * math.Exp(math.Pow(math.Log(2)/2.3263, 2)/2)},
		"0=1":                 {},
		"3=0,7=1":             {7, 7, 7},
		"uniform:0:1":         {0.5, 0.99, 0.5},
	} {
		d, err := ParseSizes(text)
		if err != nil || d.String() != text {
			t.Fatalf("%s is %v, %v", text, d, err)
		}
		const n = 400_000
		var sum float64
		below50, below99 := 0, 0
		for id := range uint32(n) {
			x := d.Of(id)
			sum += x
			if x <= want.p50*(1+1e-9) {
				below50++
			}
			if x <= want.p99*(1+1e-9) {
				below99++
			}
		}
		if got := sum / n; math.Abs(got-want.mean) > 0.03*want.mean {
			t.Errorf("%s: the mean is %v, not %v", text, got, want.mean)
		}
		if below50 < n*499/1000 || below99 < n*9895/10000 {
			t.Errorf("%s: %d of %d are up to the median, %d up to the p99", text, below50, n, below99)
		}
		if d.Of(7) != d.Of(7) || d.Most() < want.p99*0.99 {
			t.Errorf("%s: id 7 has %v and %v, the most is %v", text, d.Of(7), d.Of(7), d.Most())
		}
	}
	if d, err := ParseTimes("uniform:1s:3s"); err != nil || d.At(0.5) != float64(2*time.Second) {
		t.Errorf("%v, %v", d, err)
	}
	if (Dist{}).At(0.5) != 0 || (Dist{}).String() != "0" {
		t.Error("the zero Dist is not 0")
	}
}

func TestDistributionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, text := range []string{"", "x", "-1", "1.5", "uniform:1", "uniform:2:1", "lognormal:0:1", "1=", "1=x", "1=0", "=1", "1e99", "NaN", "uniform::", "1=NaN"} {
		if d, err := ParseSizes(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
	for _, text := range []string{"5", "-1s", "uniform:1s", "1s=1,2=1"} {
		if d, err := ParseTimes(text); err == nil {
			t.Errorf("%q is %v", text, d)
		}
	}
}

func FuzzParseDist(f *testing.F) {
	for _, text := range []string{"256", "uniform:1:2", "lognormal:1k:1M", "1=2,3k=4"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, parse := range []func(string) (Dist, error){ParseSizes, ParseTimes} {
			d, err := parse(text)
			if err != nil {
				continue
			}
			for _, u := range []float64{0, 0.5, 1} {
				if x := d.At(u); !(x >= 0) || math.IsInf(x, 0) {
					t.Errorf("%q is %v at %v", text, x, u)
				}
			}
			if again, err := parse(d.String()); err != nil || again.At(0.3) != d.At(0.3) {
				t.Errorf("%q is not read again: %v", d.String(), err)
			}
		}
	})
}
