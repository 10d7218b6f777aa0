package simdb

import (
	"context"
	"sync"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/latency"
)

// Calibration is what this machine makes of the settings: no timer is exact.
type Calibration struct {
	Asked    time.Duration   `json:"sleep_asked_ns"`
	Sleep    latency.Summary `json:"sleep"`   // what one sleeper gets for Asked
	Service  latency.Summary `json:"service"` // of reads, with all connections busy
	Capacity float64         `json:"reads_per_second"`
}

// Calibrate measures single sleeps of the median delay for a third of the
// given time, and a database with all connections busy for the rest.
func Calibrate(ctx context.Context, s Settings, d time.Duration) (Calibration, error) {
	c := Calibration{Asked: s.Delay.Median}
	begin, slept := time.Now(), latency.NewRecorder()
	for start := begin; start.Sub(begin) < d/3; {
		if err := sleep(ctx, s.Delay.Median); err != nil {
			return c, err
		}
		now := time.Now()
		slept.Record(now.Sub(start))
		start = now
	}
	c.Sleep = slept.Summary()

	db := New(s)
	var readers sync.WaitGroup
	begin = time.Now()
	for range s.Connections {
		readers.Go(func() {
			for time.Since(begin) < d*2/3 && ctx.Err() == nil {
				db.Read(ctx, 0) // fails only with ctx
			}
		})
	}
	readers.Wait()
	took := time.Since(begin)
	stats := db.TakeStats()
	c.Service = stats.Service
	c.Capacity = float64(stats.Reads) / took.Seconds()
	return c, ctx.Err()
}
