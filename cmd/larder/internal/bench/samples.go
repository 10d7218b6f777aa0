package bench

import (
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// sample is one operation that was timed.
type sample struct {
	due     time.Duration // from the beginning of the pass
	planned float32       // nanoseconds from when it was due to its end
	service float32       // nanoseconds from its beginning to its end
	kind    workload.Kind
	done    bool // false if it failed, or was not begun
}

// timed is what a pass measured.
type timed struct {
	samples []sample
	lag     latency.Recorder // of idle workers: from when an operation was due to when it began
	took    time.Duration
	late    time.Duration // by how much the last operation began after its time
	sorted  *sorted       // of the samples, made when first asked for
}

// sorted are the distributions of samples by the kind of operation, and of all reads.
type sorted struct {
	reads times
	kinds [workload.Kinds]times
}

// times are how long operations took, from when they were due and from their beginning.
type times struct{ planned, service latency.Recorder }

func newTimes() times { return times{latency.NewRecorder(), latency.NewRecorder()} }

// sort goes through the samples, once.
func (t *timed) sort() *sorted {
	if t.sorted != nil {
		return t.sorted
	}
	t.sorted = &sorted{reads: newTimes()}
	for k := range t.sorted.kinds {
		t.sorted.kinds[k] = newTimes()
	}
	for i := range t.samples {
		if s := &t.samples[i]; s.done {
			of := &t.sorted.kinds[s.kind]
			of.planned.Record(time.Duration(s.planned))
			of.service.Record(time.Duration(s.service))
		}
	}
	for k, of := range t.sorted.kinds {
		if workload.Kind(k).Reads() {
			t.sorted.reads.planned.Merge(of.planned)
			t.sorted.reads.service.Merge(of.service)
		}
	}
	return t.sorted
}

// reads returns the latencies of reads of all kinds.
func (t *timed) reads() times { return t.sort().reads }

// of returns the latencies of one kind of operation.
func (t *timed) of(kind workload.Kind) times { return t.sort().kinds[kind] }

// spans cuts the time of the pass into n parts, and gives the samples of reads that were
// due in each to see.
func (t *timed) spans(n int, see func(at time.Duration, reads latency.Recorder)) {
	width := max(t.took/time.Duration(n), 1)
	parts := make([]latency.Recorder, n)
	for i := range t.samples {
		s := &t.samples[i]
		if !s.done || !s.kind.Reads() {
			continue
		}
		part := min(max(int(s.due/width), 0), n-1)
		if parts[part] == (latency.Recorder{}) {
			parts[part] = latency.NewRecorder()
		}
		parts[part].Record(time.Duration(s.planned))
	}
	for i, r := range parts {
		if r == (latency.Recorder{}) {
			r = latency.NewRecorder()
		}
		see(time.Duration(i)*width, r)
	}
}
