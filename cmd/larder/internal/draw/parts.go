package draw

import (
	"math"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

func (p *picture) draw(on canvas) {
	on.rect(0, 0, width, p.height, white)
	y := margin
	for _, s := range p.title {
		y += titleSize
		on.text(point{margin, y}, s, lettering{size: titleSize, color: ink, bold: true})
		y += 6
	}
	for _, s := range p.note {
		y += noteSize
		on.text(point{margin, y}, s, lettering{size: noteSize, color: faded})
		y += 5
	}
	if p.Kind == results.Lines {
		p.bands(on)
	}
	p.grid(on)
	switch p.Kind {
	case results.Lines:
		for i, s := range p.Series {
			p.series(on, s, seriesPen(i, s.Dashed))
		}
	case results.Bars:
		p.bars(on)
	case results.HeatMap:
		p.heat(on)
	}
	on.line([]point{{p.left, p.top}, {p.left, p.bottom}, {p.right, p.bottom}}, pen{color: frame, width: 1})
	for _, e := range p.legend {
		switch {
		case e.index < 0:
			on.rect(e.at.x, e.at.y-10, 22, 11, shaded)
		case p.Kind == results.Bars:
			on.rect(e.at.x+4, e.at.y-10, 12, 12, palette[e.index%len(palette)])
		default:
			on.line([]point{{e.at.x, e.at.y - 4.5}, {e.at.x + 22, e.at.y - 4.5}}, seriesPen(e.index, p.Series[e.index].Dashed))
		}
		on.text(point{e.at.x + 28, e.at.y}, e.name, lettering{size: labelSize, color: ink})
	}
	if !p.yAxis.any {
		on.text(point{(p.left + p.right) / 2, (p.top + p.bottom) / 2}, "no data", lettering{size: titleSize, color: faded, anchor: middle})
	}
}

func (p *picture) grid(on canvas) {
	label := lettering{size: labelSize, color: faded}
	for _, t := range p.yTicks {
		y := p.bottom - (t.at-p.yAxis.from)/(p.yAxis.to-p.yAxis.from)*(p.bottom-p.top)
		on.line([]point{{p.left, y}, {p.right, y}}, pen{color: grid, width: 1})
		label.anchor = end
		on.text(point{p.left - 7, y + 4.5}, t.label, label)
	}
	label.anchor = middle
	for _, t := range p.xTicks {
		x := p.left + (t.at-p.xAxis.from)/(p.xAxis.to-p.xAxis.from)*(p.right-p.left)
		on.line([]point{{x, p.top}, {x, p.bottom}}, pen{color: grid, width: 1})
		on.text(point{x, p.bottom + 20}, t.label, label)
	}
	titles := lettering{size: labelSize, color: ink, anchor: middle}
	under := p.height - margin
	if p.Kind == results.HeatMap {
		under -= 34
	}
	for _, s := range p.ruler.wrap(p.X.Label, labelSize, false, p.right-p.left, 1) {
		on.text(point{(p.left + p.right) / 2, under}, s, titles)
	}
	titles.up = true
	for _, s := range p.ruler.wrap(p.Y.Label, labelSize, false, p.bottom-p.top+20, 1) {
		on.text(point{margin + 10, (p.top + p.bottom) / 2}, s, titles)
	}
}

func (p *picture) bands(on canvas) {
	for _, b := range p.Bands {
		from, to := p.x(b.From), p.x(b.To)
		if from <= to { // also not NaN
			on.rect(from, p.top, max(to-from, 1), p.bottom-p.top, shaded)
		}
	}
}

// series draws a line in as many parts as it has gaps between.
func (p *picture) series(on canvas, s results.Series, ink pen) {
	var part []point
	flush := func() {
		if len(part) > 0 {
			on.line(thin(part), ink)
		}
		part = nil
	}
	for i := range s.Y {
		at := point{p.x(s.X[i]), p.y(s.Y[i])}
		if math.IsNaN(at.x) || math.IsNaN(at.y) {
			flush()
			continue
		}
		if s.Steps && len(part) > 0 {
			part = append(part, point{at.x, part[len(part)-1].y})
		}
		part = append(part, at)
	}
	flush()
}

// thin keeps of many points in one column of pixels the first, the lowest, the highest
// and the last, which look the same.
func thin(points []point) []point {
	if len(points) < 4*int(width) {
		return points
	}
	column := func(i int) int { return int(points[i].x * zoom) }
	var out []point
	for i := 0; i < len(points); {
		low, high, j := i, i, i
		for ; j < len(points) && column(j) == column(i); j++ {
			if points[j].y < points[low].y {
				low = j
			}
			if points[j].y > points[high].y {
				high = j
			}
		}
		out = append(out, points[i], points[min(low, high)], points[max(low, high)], points[j-1])
		i = j
	}
	return out
}

func (p *picture) bars(on canvas) {
	slot := (p.right - p.left) / float64(max(len(p.Categories), 1))
	count := float64(max(len(p.Series), 1))
	inner := min(slot*0.8, count*70)
	thick := inner / count
	figures := true // above all bars or none
	for _, s := range p.Series {
		for _, y := range s.Y {
			figures = figures && p.ruler.width(p.figure(y), labelSize-2, false) < thick+4
		}
	}
	base := p.bottom
	if p.Y.Scale != results.Log {
		base = p.y(0)
	}
	for i, name := range p.names {
		center := p.left + slot*(float64(i)+0.5)
		for j, s := range p.Series {
			x := center - inner/2 + thick*float64(j)
			y := p.y(s.Y[i])
			if math.IsNaN(y) {
				continue
			}
			on.rect(x, min(y, base), max(thick-2, 0.5), max(math.Abs(base-y), 1), palette[j%len(palette)])
			if figures {
				on.text(point{x + thick/2 - 1, min(y, base) - 5}, p.figure(s.Y[i]), lettering{size: labelSize - 2, color: ink, anchor: middle})
			}
		}
		if p.upright {
			for _, s := range name {
				on.text(point{center + 5, p.bottom + 8}, s, lettering{size: labelSize, color: faded, anchor: end, up: true})
			}
			continue
		}
		for k, s := range name {
			on.text(point{center, p.bottom + 20 + float64(k)*(labelSize+3)}, s, lettering{size: labelSize, color: faded, anchor: middle})
		}
	}
}

func (p *picture) figure(y float64) string {
	if p.Y.Unit == results.Ratio {
		return Label(p.Y.Unit, y, 1e-3)
	}
	return Label(p.Y.Unit, y, 0)
}

func (p *picture) heat(on canvas) {
	h := p.Heat
	most := 0.0
	for _, column := range h.Count {
		for _, n := range column {
			most = max(most, n)
		}
	}
	for i, column := range h.Count {
		left, right := p.x(h.X[i]), p.x(h.X[i+1])
		for j, n := range column {
			low, high := p.y(h.Y[j]), p.y(h.Y[j+1])
			if n > 0 && right > left && low > high {
				on.rect(left, high, right-left, low-high, heatColor(Heat(n, most)))
			}
		}
	}
	const steps, room = 40, 220.0
	y := p.height - margin - 12
	x := p.right - room - 60
	for i := range steps {
		on.rect(x+room/steps*float64(i), y, room/steps+0.5, 12, heatColor(float64(i)/(steps-1)))
	}
	most = min(max(most, 1), 1e15)
	label := lettering{size: labelSize, color: faded, anchor: end}
	on.text(point{x - 8, y + 11}, "how many: 1", label)
	label.anchor = start
	on.text(point{x + room + 8, y + 11}, results.Amount(most), label)
}

// Heat returns how far a count is on the scale of colours, which is logarithmic: from 0
// for one to 1 for the most.
func Heat(n, most float64) float64 {
	if most <= 1 {
		return 1
	}
	return math.Log(max(n, 1)) / math.Log(most)
}
