package bench

import (
	"sync"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// moment is what has been done at a time of a pass.
type moment struct {
	at      time.Duration
	done    int64 // operations
	rows    int64 // that were asked for
	read    int64 // rows that the database gave
	queries int64
	inUse   int // connections of the database
}

// hitRatio is that between two moments, and false if nothing was asked for.
func (m moment) hitRatio(before moment) (float64, bool) {
	asked := m.rows - before.rows
	if asked <= 0 {
		return 0, false
	}
	return max(1-float64(m.read-before.read)/float64(asked), 0), true
}

// watch looks at a pass again and again, and remembers what it saw.
type watch struct {
	t     *tallies
	db    *simdb.DB
	pulse latency.Pulse
	begun time.Time
	quit  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex
	moments []moment
	p99     time.Duration // of the time before the last moment
}

// startWatch looks at a pass that should take so long.
func startWatch(t *tallies, db *simdb.DB, expected time.Duration) *watch {
	w := &watch{t: t, db: db, begun: time.Now(), quit: make(chan struct{})}
	w.look()
	w.ended.Go(func() {
		ticker := time.NewTicker(max(expected/40, 100*time.Millisecond))
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				w.look()
			case <-w.quit:
				return
			}
		}
	})
	return w
}

func (w *watch) look() {
	db, inUse := w.db.Progress()
	m := moment{time.Since(w.begun), w.t.all(), w.t.rows(), db.RowsRead, db.Queries(), inUse}
	p99 := w.pulse.Take(0.99)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moments = append(w.moments, m)
	w.p99 = p99
}

// reading is for the meter.
func (w *watch) reading() progress.Reading {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := progress.Reading{Done: w.t.all(), P99: w.p99, HitRatio: -1}
	if n := len(w.moments); n > 1 {
		if ratio, ok := w.moments[n-1].hitRatio(w.moments[n-2]); ok {
			r.HitRatio = ratio
		}
	}
	return r
}

// stop ends the watch and returns what it saw.
func (w *watch) stop() []moment {
	close(w.quit)
	w.ended.Wait()
	return w.moments
}
