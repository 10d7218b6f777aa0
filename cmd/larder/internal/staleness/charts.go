package staleness

import (
	"fmt"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// bucket is the width of what the timeline counts together.
const bucket = 50 * time.Millisecond

func charts(outcomes []outcome) []results.Chart {
	duration := results.Axis{Label: "time", Unit: results.Nanoseconds, Scale: results.Log}
	after := results.Chart{
		ID: "staleness-after-ack", Title: "Old reads after an acknowledged invalidation", Kind: results.Bars,
		Note: "Reads that began after an invalidation had returned, and gave what was before it.",
		Y:    results.Axis{Label: "reads", Unit: results.Count, Scale: results.Linear}, Series: []results.Series{{Name: "old reads"}},
	}
	seen := results.Chart{
		ID: "staleness-propagation", Title: "How soon a change is seen", Kind: results.Lines,
		Note: "The part of all changes and processes for which the first new read was there by then, counted from the commit.",
		X:    duration, Y: results.Axis{Label: "of all", Unit: results.Ratio, Scale: results.Nines},
	}
	ages := results.Chart{
		ID: "staleness-age", Title: "How old what is read may be", Kind: results.Lines,
		Note: "Of the reads that gave an old row, the part that gave one which had been replaced in the database for no longer.",
		X:    duration, Y: results.Axis{Label: "of old reads", Unit: results.Ratio, Scale: results.Linear},
	}
	timeline := results.Chart{
		ID: "staleness-timeline", Title: "Old reads over time", Kind: results.Lines,
		Note: fmt.Sprintf("Old reads after an acknowledged invalidation that began in each %v, counted from when a way was begun.", bucket),
		X:    results.Axis{Label: "time", Unit: results.Seconds, Scale: results.Linear}, Y: results.Axis{Label: "old reads", Unit: results.Count, Scale: results.Linear},
	}
	for i := range outcomes {
		o := &outcomes[i]
		f := o.figures()
		after.Categories, after.Series[0].Y = append(after.Categories, o.way.title), append(after.Series[0].Y, float64(len(o.Late)))
		seen.Series = append(seen.Series, distribution(o.way, f.delays))
		ages.Series = append(ages.Series, distribution(o.way, f.ages))
		timeline.Series = append(timeline.Series, o.timeline())
		if i == 0 && o.cut[1] > 0 {
			timeline.Bands = []results.Band{{From: o.cut[0].Seconds(), To: o.cut[1].Seconds(), Label: "one process hears nothing"}}
		}
	}
	return []results.Chart{after, seen, ages, timeline}
}

// points is how many steps the line of a distribution has at most.
const points = 200

// distribution returns a rising line of steps, none of whose ends is at 1, which has no
// place among nines.
func distribution(w *way, q quantiles) results.Series {
	s := results.Series{Name: w.title, Steps: true, Dashed: !w.library, X: results.Values{}, Y: results.Values{}}
	for i := range min(len(q), points) {
		at := i
		if len(q) > points {
			at = i * (len(q) - 1) / (points - 1)
		}
		s.X = append(s.X, float64(max(q[at], int64(time.Microsecond))))
		s.Y = append(s.Y, (float64(at)+0.5)/float64(len(q)))
	}
	return s
}

func (o *outcome) timeline() results.Series {
	n := int(o.took/bucket) + 1
	s := results.Series{Name: o.way.title, Steps: true, Dashed: !o.way.library, X: make(results.Values, n), Y: make(results.Values, n)}
	for i := range s.X {
		s.X[i] = (time.Duration(i) * bucket).Seconds()
	}
	for _, l := range o.Late {
		if i := int(time.Duration(l.At-o.began) / bucket); i >= 0 && i < n {
			s.Y[i]++
		}
	}
	return s
}
