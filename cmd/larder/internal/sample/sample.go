// Package sample makes a document with everything that a document can have, for tests of
// what shows documents.
package sample

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
)

// Hostile is a name that must do nothing wherever it is shown.
const Hostile = `</script><img src=x onerror=alert(1)>&amp;"'|` + "`" + `<!--]]>` + "\u2028"

// Document returns a document whose figures are drawn from a seed.
func Document(seed uint64) *results.Document {
	rng := rand.New(rand.NewPCG(seed, 1))
	return &results.Document{
		Schema: results.Schema, Title: "larder bench: aside, outage and more", Version: "v0.0.0-sample",
		Command: []string{"larder", "bench", "--redis", "spawn", "--label", Hostile},
		Started: time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC), Took: 42 * time.Second, Seed: seed,
		Environment: results.Environment{Go: "go1.26.0", OS: "linux", Arch: "amd64", CPU: "Example 3000", CPUs: 2, GOMAXPROCS: 2},
		Server:      server.Info{Kind: "spawned", Version: "7.0.15"},
		Config:      json.RawMessage(`{"redis":"spawn","note":"</script><b>"}`),
		Sections:    []*results.Section{aside(rng), outage(rng), {Name: "empty", Title: "A section without anything"}, hostile()},
	}
}

func aside(rng *rand.Rand) *results.Section {
	h := hdrhistogram.New(1, 60e9, 2)
	var q, fast, slow results.Values
	for i := range 60 {
		at := 1 - math.Pow(10, -float64(i)/12)
		q = append(q, at)
		fast = append(fast, 12e3*math.Exp(float64(i)/14)*(1+0.1*rng.Float64()))
		slow = append(slow, 300e3*math.Exp(float64(i)/20))
	}
	for range 5000 {
		h.RecordValue(int64(30e3 * math.Exp(rng.NormFloat64())))
	}
	blob, err := h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic(err) // a histogram of our own
	}
	s := &results.Section{
		Name: "aside", Title: "Aside: how long a read takes",
		Intro: "Sixteen workers read 100,000 keys with a popularity by Zipf, s = 0.99, through L1 and L2, for ten seconds.",
		Facts: []results.Fact{{Name: "workload", Value: "zipf s=0.99, 100,000 keys, 256 B values"}, {Name: "workers", Value: "16"}, {Name: "a timed operation costs", Value: "41 ns"}},
		Tables: []results.Table{{
			Title: "Strategies", Columns: []string{"strategy", "requests/s", "p50", "p99", "p99.9", "hit ratio", "loads/s"},
			Rows: [][]string{{"no cache", "1,920", "8.10 ms", "12.4 ms", "30.1 ms", "-", "1,920"}, {"L1 + L2", "1,204,000", "240 ns", "82.0 µs", "410 µs", "97.4%", "31.0"}},
			Note: "Loads are queries of the simulated database.",
		}},
		Charts: []results.Chart{
			{ID: "aside-latency", Title: "Latency by quantile", Note: "Nine reads in ten are left of 90%. Lower is better.", Kind: results.Lines,
				X:      results.Axis{Label: "quantile", Unit: results.Ratio, Scale: results.Nines},
				Y:      results.Axis{Label: "time of a read", Unit: results.Nanoseconds, Scale: results.Log},
				Series: []results.Series{{Name: "L1 + L2", X: q, Y: fast}, {Name: "no cache", X: q, Y: slow, Dashed: true}}},
			{ID: "strategies", Title: "p50, p99 and p99.9 by strategy", Kind: results.Bars,
				Y:          results.Axis{Label: "time of a read", Unit: results.Nanoseconds, Scale: results.Log},
				Categories: []string{"no cache", "L1", "L2", "L1 + L2", "write-through", "early refresh", "stale while revalidating"},
				Series: []results.Series{
					{Name: "p50", Y: results.Values{8.1e6, 240, 62e3, 240, 251, 244, 239}},
					{Name: "p99", Y: results.Values{12.4e6, 8.2e6, 8.3e6, 82e3, 83e3, math.NaN(), 60e3}},
					{Name: "p99.9", Y: results.Values{30e6, 14e6, 13e6, 410e3, 380e3, 170e3, 150e3}}}},
			{ID: "capacity", Title: "Hit ratio against capacity", Kind: results.Lines,
				X: results.Axis{Label: "entries", Unit: results.Count, Scale: results.Log}, Y: results.Axis{Label: "hit ratio", Unit: results.Ratio, Scale: results.Linear},
				Series: []results.Series{
					{Name: "LRU", X: results.Values{100, 1000, 10000, 100000}, Y: results.Values{.12, .31, .62, .9}},
					{Name: "adaptive", X: results.Values{100, 1000, 10000, 100000}, Y: results.Values{.2, .41, .7, .9}},
					{Name: "clairvoyant", X: results.Values{100, 500, 1000, 10000, 100000}, Y: results.Values{.3, .45, .52, .78, .9}, Dashed: true}}},
		},
		Notes:      []results.Note{{Level: results.Info, Text: "Latency is from the planned start of a request."}, {Level: results.Warn, Text: "The generator used 81% of both cores."}},
		Histograms: []results.Histogram{{Name: "aside.get", Encoded: string(blob)}},
	}
	for i := range 6 {
		_ = i
		if len(s.Metrics) == 0 {
			s.Add("aside.get.p99", results.Nanoseconds, results.Lower, 82e3)
			s.Add("aside.get.rate", results.PerSecond, results.Higher, 1.204e6)
			s.Add("aside.hit_ratio@workers=4", results.Ratio, results.Higher, 0.974)
			continue
		}
		for j := range s.Metrics {
			s.Metrics[j].Samples = append(s.Metrics[j].Samples, s.Metrics[j].Samples[0]*(0.98+0.04*rng.Float64()))
		}
	}
	return s
}

func outage(rng *rand.Rand) *results.Section {
	var t, rate, loads results.Values
	for i := range 120 {
		at := float64(i) / 2
		t = append(t, at)
		r, l := 21e3+1e3*rng.Float64(), 300+50*rng.Float64()
		if at >= 20 && at < 35 {
			r, l = 4e3+500*rng.Float64(), 3800+100*rng.Float64()
		}
		if at >= 24 && at < 26 {
			r = math.NaN()
		}
		rate, loads = append(rate, r), append(loads, l)
	}
	heat := &results.Heat{}
	for i := range 41 {
		heat.X = append(heat.X, float64(i)*1.5)
	}
	for j := range 25 {
		heat.Y = append(heat.Y, 10e3*math.Pow(10, float64(j)/6))
	}
	for i := range 40 {
		column := make([]float64, 24)
		for range 2000 {
			at := 5 + 2*rng.NormFloat64()
			if i >= 13 && i < 23 {
				at = 14 + 3*rng.NormFloat64()
			}
			column[min(max(int(at), 0), 23)]++
		}
		heat.Count = append(heat.Count, column)
	}
	bands := []results.Band{{From: 20, To: 35, Label: "server paused"}}
	seconds := results.Axis{Label: "time since the start", Unit: results.Seconds, Scale: results.Linear}
	return &results.Section{
		Name: "outage", Title: "Outage: the server is paused while readers read",
		Charts: []results.Chart{
			{ID: "outage-rate", Title: "Requests and loads", Note: "The shaded part is the fault.", Kind: results.Lines, X: seconds,
				Y:      results.Axis{Label: "per second", Unit: results.PerSecond, Scale: results.Linear},
				Series: []results.Series{{Name: "requests", X: t, Y: rate}, {Name: "loads of the origin", X: t, Y: loads, Steps: true}}, Bands: bands},
			{ID: "outage-heat", Title: "How long reads took, over time", Kind: results.HeatMap, X: seconds,
				Y: results.Axis{Label: "time of a read", Unit: results.Nanoseconds, Scale: results.Log}, Heat: heat},
		},
		Notes: []results.Note{{Level: results.Fail, Text: "3 reads were stale after an invalidation was acknowledged."}},
	}
}

func hostile() *results.Section {
	s := &results.Section{
		Name: Hostile, Title: Hostile, Intro: Hostile, Facts: []results.Fact{{Name: Hostile, Value: Hostile}},
		Tables: []results.Table{{Title: Hostile, Columns: []string{Hostile, "x"}, Rows: [][]string{{Hostile, Hostile}}, Note: Hostile}},
		Notes:  []results.Note{{Level: results.Info, Text: Hostile}},
		Charts: []results.Chart{
			{ID: "hostile", Title: Hostile, Note: Hostile, Kind: results.Lines, X: results.Axis{Label: Hostile, Unit: results.Count, Scale: results.Log},
				Y: results.Axis{Label: Hostile, Unit: results.Bytes}, Bands: []results.Band{{From: 3, To: 4, Label: Hostile}},
				Series: []results.Series{{Name: Hostile, X: results.Values{-1, 0, 1, 10}, Y: results.Values{1, 2, 3e6, 4e6}}}},
			{ID: "many", Title: "Bars with long names", Kind: results.Bars, Y: results.Axis{Label: "memory", Unit: results.Bytes}},
			{ID: "nothing", Title: "A chart without data", Kind: results.Lines},
		},
	}
	many := &s.Charts[1]
	var y results.Values
	for i := range 24 {
		many.Categories = append(many.Categories, fmt.Sprintf("a strategy with a long name, number %d", i))
		y = append(y, float64(i*i)*1e5)
	}
	many.Series = []results.Series{{Name: "heap", Y: y}}
	return s
}
