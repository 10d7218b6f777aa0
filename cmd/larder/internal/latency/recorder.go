// Package latency records how long things take.
package latency

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	longest = int64(10 * time.Minute)
	digits  = 2 // 3 would cost 220 kB a histogram, which each worker has several of
)

// Recorder counts durations in a histogram whose buckets are at most 1% wide.
// It belongs to one goroutine.
type Recorder struct{ h *hdrhistogram.Histogram }

// NewRecorder returns a Recorder that has counted nothing.
func NewRecorder() Recorder { return Recorder{hdrhistogram.New(1, longest, digits)} }

// Record counts d. What is below zero counts as zero, what is above ten
// minutes as ten minutes.
func (r Recorder) Record(d time.Duration) {
	r.h.RecordValue(min(max(int64(d), 0), longest)) // no error within these bounds
}

// Merge adds what o has counted.
func (r Recorder) Merge(o Recorder) { r.h.Merge(o.h) }

// Reset forgets everything.
func (r Recorder) Reset() { r.h.Reset() }

// Summary returns what was counted in a few figures.
func (r Recorder) Summary() Summary {
	if r.h.TotalCount() == 0 {
		return Summary{}
	}
	at := func(percent float64) time.Duration { return time.Duration(r.h.ValueAtQuantile(percent)) }
	return Summary{
		Count: r.h.TotalCount(), Mean: time.Duration(r.h.Mean()), Min: time.Duration(r.h.Min()),
		P50: at(50), P90: at(90), P99: at(99), P999: at(99.9), Max: time.Duration(r.h.Max()),
	}
}

// Summary is a distribution of durations; in JSON they are nanoseconds.
type Summary struct {
	Count int64         `json:"count"`
	Mean  time.Duration `json:"mean_ns"`
	Min   time.Duration `json:"min_ns"`
	P50   time.Duration `json:"p50_ns"`
	P90   time.Duration `json:"p90_ns"`
	P99   time.Duration `json:"p99_ns"`
	P999  time.Duration `json:"p99_9_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Count returns how many durations were counted.
func (r Recorder) Count() int64 { return r.h.TotalCount() }

// At returns the duration that a share q of those counted, from 0 to 1, do not exceed.
func (r Recorder) At(q float64) time.Duration { return time.Duration(r.h.ValueAtQuantile(100 * q)) }

// Encode returns the histogram in the compressed V2 encoding of HDR histograms, in
// base64.
func (r Recorder) Encode() string {
	encoded, err := r.h.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	if err != nil {
		panic("latency: a histogram in memory cannot be written: " + err.Error())
	}
	return string(encoded)
}
