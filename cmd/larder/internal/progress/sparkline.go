package progress

import (
	"math"
	"strings"
)

// history is the last values of a figure.
type history struct{ values []float64 }

// points is how many values a sparkline shows.
const points = 12

func (h *history) add(x float64) {
	h.values = append(h.values, x)
	if n := len(h.values); n > points {
		h.values = h.values[n-points:]
	}
}

var levels = []rune("▁▂▃▄▅▆▇█")

// sparkline draws the values from 0 to the highest; a gap is a value that is not known.
func (h *history) sparkline() string {
	most := 0.0
	for _, x := range h.values {
		if !math.IsNaN(x) {
			most = max(most, x)
		}
	}
	var b strings.Builder
	for _, x := range h.values {
		switch {
		case math.IsNaN(x):
			b.WriteByte(' ')
		case most == 0:
			b.WriteRune(levels[0])
		default:
			b.WriteRune(levels[min(int(max(x, 0)/most*float64(len(levels))), len(levels)-1)])
		}
	}
	return b.String()
}

// cut returns the first columns of a line.
func cut(line string, columns int) string {
	if runes := []rune(line); len(runes) > columns {
		return string(runes[:columns])
	}
	return line
}
