// Package survey tells what is in a request trace: how much, how popular, how
// big, how long it lives and how soon it is asked for again.
package survey

import (
	"context"
	"slices"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

// Survey is what is in a trace. Of the parts that are pointers, those which the
// trace says nothing about are nil.
type Survey struct {
	Requests   int `json:"requests"`
	UniqueKeys int `json:"unique_keys"`
	Reads      int `json:"reads"`
	Writes     int `json:"writes"`
	Deletes    int `json:"deletes"`
	// SpanSeconds is the time from the first request to the last.
	SpanSeconds *uint32 `json:"span_seconds,omitempty"`
	// OneHitWonders is the part of the keys that are requested once.
	OneHitWonders float64 `json:"one_hit_wonders"`
	// TopKey is the part of the requests that go to the most popular key.
	TopKey float64 `json:"top_key"`
	// Popularity is nil if too few keys are popular for a line through them.
	Popularity *Popularity `json:"popularity,omitempty"`
	// Reuse is nil if no key is requested twice.
	Reuse *Reuse `json:"reuse,omitempty"`
	Sizes *Sizes `json:"sizes,omitempty"`
	TTLs  *TTLs  `json:"ttls,omitempty"`
}

// Sizes are those of objects, in bytes. Requests of an object of unknown size do
// not count.
type Sizes struct {
	Known      int    `json:"known"` // requests
	Requested  uint64 `json:"requested_bytes"`
	WorkingSet uint64 `json:"working_set_bytes"` // of all keys together, each as last seen
	Median     uint32 `json:"median_bytes"`      // of requests
	P99        uint32 `json:"p99_bytes"`
	Max        uint32 `json:"max_bytes"`
}

// TTLs are those of the requests that have one, in seconds.
type TTLs struct {
	Requests int    `json:"requests"`
	Min      uint32 `json:"min_seconds"`
	Median   uint32 `json:"median_seconds"`
	Max      uint32 `json:"max_seconds"`
}

// Of surveys a trace. It takes some 30 bytes a key and up to 12 bytes a request,
// and about a second per million requests. Its only error is that of ctx.
func Of(ctx context.Context, t *trace.Trace) (*Survey, error) {
	s := &Survey{Requests: len(t.IDs), UniqueKeys: t.Unique}
	for i := range t.IDs {
		switch t.Op(i) {
		case trace.Write:
			s.Writes++
		case trace.Delete:
			s.Deletes++
		default:
			s.Reads++
		}
	}
	if n := len(t.Times); n > 0 {
		s.SpanSeconds = &t.Times[n-1]
	}
	s.popular(t)
	s.Sizes, s.TTLs = sizesOf(t), ttlsOf(t)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var err error
	s.Reuse, err = reuseOf(ctx, t.IDs, t.Unique, mostReused)
	return s, err
}

func (s *Survey) popular(t *trace.Trace) {
	counts := make([]uint32, t.Unique)
	for _, id := range t.IDs {
		counts[id]++
	}
	once := 0
	for _, n := range counts {
		if n == 1 {
			once++
		}
	}
	slices.SortFunc(counts, func(a, b uint32) int { return int(int64(b) - int64(a)) })
	if len(counts) > 0 {
		s.OneHitWonders = float64(once) / float64(len(counts))
		s.TopKey = float64(counts[0]) / float64(len(t.IDs))
	}
	s.Popularity = fit(counts)
}

func sizesOf(t *trace.Trace) *Sizes {
	if t.Sizes == nil {
		return nil
	}
	last := make([]uint32, t.Unique)
	known := make([]uint32, 0, len(t.Sizes))
	s := &Sizes{}
	for i, size := range t.Sizes {
		if size > 0 {
			known = append(known, size)
			last[t.IDs[i]] = size
			s.Requested += uint64(size)
		}
	}
	for _, size := range last {
		s.WorkingSet += uint64(size)
	}
	slices.Sort(known)
	if s.Known = len(known); s.Known > 0 {
		s.Median, s.P99, s.Max = quantile(known, 0.5), quantile(known, 0.99), known[len(known)-1]
	}
	return s
}

func ttlsOf(t *trace.Trace) *TTLs {
	if t.TTLs == nil {
		return nil
	}
	known := make([]uint32, 0, len(t.TTLs))
	for _, ttl := range t.TTLs {
		if ttl > 0 {
			known = append(known, ttl)
		}
	}
	slices.Sort(known)
	s := &TTLs{Requests: len(known)}
	if len(known) > 0 {
		s.Min, s.Median, s.Max = known[0], quantile(known, 0.5), known[len(known)-1]
	}
	return s
}

// quantile returns the smallest element that the part q of them does not exceed.
func quantile(sorted []uint32, q float64) uint32 {
	n := float64(len(sorted))
	return sorted[min(int(q*n), len(sorted)-1)]
}
