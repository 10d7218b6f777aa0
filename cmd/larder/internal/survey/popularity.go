package survey

import "math"

// Popularity is how the number of requests falls with the rank of a key.
type Popularity struct {
	// Exponent is the s of the Zipf distribution that fits best: the key at rank k
	// has a weight of 1/k^s. 0 is uniform.
	Exponent float64 `json:"zipf_exponent"`
	// Fit is the part of the variation that the line explains (R²), 1 for all. Below
	// some 0.9 the keys do not follow a Zipf distribution. It is 1 if there is no
	// variation.
	Fit float64 `json:"fit"`
	// Ranks are how many ranks were looked at.
	Ranks int `json:"ranks"`
}

const (
	// leastCount is the number of requests below which chance has more to say about
	// how often a key was asked for than its popularity.
	leastCount = 10
	// leastSteps is the number of points that make a line.
	leastSteps = 5
	// step is the ratio of one rank to the next that the line is laid through, so that
	// the many unpopular keys do not decide alone.
	step = math.Sqrt2
)

// fit lays a line through the logarithms of the numbers of requests, which fall,
// over those of the ranks, by least squares. Each point stands for the ranks up to
// the next point, by the mean of their logarithms. Keys with fewer than
// leastCount requests do not take part.
func fit(counts []uint32) *Popularity {
	var x, y []float64
	ranks := 0
	for edge := 1.0; ; {
		next := max(math.Floor(edge*step), edge+1)
		if int(next)-1 > len(counts) || counts[int(next)-2] < leastCount {
			break
		}
		var rank, count float64
		for k := edge; k < next; k++ {
			rank += math.Log(k)
			count += math.Log(float64(counts[int(k)-1]))
		}
		n := next - edge
		x, y = append(x, rank/n), append(y, count/n)
		ranks = int(next) - 1
		edge = next
	}
	if len(x) < leastSteps {
		return nil
	}
	slope, explained := line(x, y)
	return &Popularity{Exponent: max(0, -slope), Fit: explained, Ranks: ranks}
}

// line returns the slope of the line through points and the part of the variation
// of y that it explains.
func line(x, y []float64) (slope, explained float64) {
	n := float64(len(x))
	var sx, sy, xx, xy, yy float64
	for i := range x {
		sx, sy = sx+x[i], sy+y[i]
	}
	for i := range x {
		dx, dy := x[i]-sx/n, y[i]-sy/n
		xx, xy, yy = xx+dx*dx, xy+dx*dy, yy+dy*dy
	}
	if yy < 1e-12 {
		return 0, 1
	}
	return xy / xx, xy * xy / (xx * yy)
}
