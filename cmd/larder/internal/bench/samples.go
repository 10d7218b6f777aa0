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
}

// clocks are the distributions of the operations that a test chooses.
func (t *timed) clocks(chosen func(workload.Kind) bool) (planned, service latency.Recorder) {
	planned, service = latency.NewRecorder(), latency.NewRecorder()
	for i := range t.samples {
		if s := &t.samples[i]; s.done && chosen(s.kind) {
			planned.Record(time.Duration(s.planned))
			service.Record(time.Duration(s.service))
		}
	}
	return planned, service
}

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
