package workload

import (
	"strings"
	"testing"
)

func TestParsePopularity(t *testing.T) {
	for text, want := range map[string]struct {
		popularity Popularity
		text       string
	}{
		"uniform":                {Popularity{}, "uniform"},
		"zipf":                   {Popularity{Shape: Zipfian, Skew: 0.99}, "zipf:0.99"},
		" zipf:1.2 ":             {Popularity{Shape: Zipfian, Skew: 1.2}, "zipf:1.2"},
		"hotspot":                {Popularity{Shape: Hotspot, HotKeys: 20, HotRequests: 80}, "hotspot:20:80"},
		"hotspot:0.7:57":         {Popularity{Shape: Hotspot, HotKeys: 0.7, HotRequests: 57}, "hotspot:0.7:57"},
		"latest:1":               {Popularity{Shape: Latest, Skew: 1, Every: 20}, "latest:1:20"},
		"latest:0.99:0":          {Popularity{Shape: Latest, Skew: 0.99}, "latest:0.99:0"},
		"loop":                   {Popularity{Shape: Loop}, "loop"},
		"shift":                  {Popularity{Shape: Shift, Skew: 0.99, Every: 10_000}, "shift:0.99:10000"},
		"shift:0.5:3":            {Popularity{Shape: Shift, Skew: 0.5, Every: 3}, "shift:0.5:3"},
		"exponential":            {Popularity{Shape: Exponential, Spread: 10}, "exponential:10"},
		"gaussian:2.5":           {Popularity{Shape: Gaussian, Spread: 2.5}, "gaussian:2.5"},
		"onehit:0.3":             {Popularity{Shape: Zipfian, Skew: 0.99, OneHit: 0.3}, "zipf:0.99+onehit:0.3"},
		"hotspot:1:9+onehit:0.1": {Popularity{Shape: Hotspot, HotKeys: 1, HotRequests: 9, OneHit: 0.1}, "hotspot:1:9+onehit:0.1"},
	} {
		p, err := ParsePopularity(text)
		if err != nil || p != want.popularity || p.String() != want.text {
			t.Errorf("%q is read as %+v, %q, %v", text, p, p, err)
		}
		var again Popularity
		if b, err := p.MarshalText(); err != nil || again.UnmarshalText(b) != nil || again != p {
			t.Errorf("%q is read again as %+v", b, again)
		}
	}
}

func TestParsePopularityFaults(t *testing.T) {
	for text, part := range map[string]string{
		"":                   "none of zipf:SKEW",
		"zip":                `"zip" is none of`,
		"zipf:":              `the skew is "" and not a number`,
		"zipf:0":             `the skew is "0"`,
		"zipf:-1":            "the skew",
		"zipf:nan":           "the skew",
		"zipf:inf":           "the skew",
		"zipf:1:2":           "zipf has 1 parts after it at most",
		"uniform:1":          "0 parts",
		"hotspot:0:80":       "per cent of the keys",
		"hotspot:20:101":     "per cent of the requests",
		"latest:1:2.5":       "not a whole number",
		"shift:1:0":          "between two shifts",
		"shift:1:1e300":      "between two shifts",
		"gaussian:0":         "per cent of the keys",
		"onehit":             "share of keys that come once",
		"onehit:0":           "share of keys that come once",
		"onehit:1.1":         "share of keys that come once",
		"zipf+zipf":          "only onehit can be added",
		"zipf+onehit:.1:1":   "share of keys",
		"onehit:.1+onehit:1": `"onehit:.1+onehit:1" is none of`,
	} {
		p, err := ParsePopularity(text)
		if err == nil || !strings.Contains(err.Error(), part) || p != (Popularity{}) {
			t.Errorf("%q: %+v, %v, want %q", text, p, err, part)
		}
	}
}

func FuzzParsePopularity(f *testing.F) {
	for _, text := range []string{"zipf:0.99", "hotspot:20:80", "latest:0.99:20", "shift:0.99:10000+onehit:0.3", "onehit:1e-3", "gaussian:33.3"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePopularity(text)
		if err != nil {
			return
		}
		again, err := ParsePopularity(p.String())
		if err != nil || again != p {
			t.Fatalf("%q is %+v, and its text %q is %+v, %v", text, p, p, again, err)
		}
		s := p.Open(source(1), 7)
		for i := range 20 {
			if k := s.Next(); int(k) >= p.Span(7, i+1) {
				t.Fatalf("%s: request %d is of key %d", p, i, k)
			}
		}
	})
}
