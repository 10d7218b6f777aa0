package draw

import (
	"math"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// The layout, in pixels of an SVG. A PNG has twice as many.
const (
	width      = 900.0
	plotHeight = 330.0
	margin     = 20.0
	titleSize  = 18.0
	noteSize   = 13.0
	labelSize  = 13.0
	maxMoved   = 240.0 // of the room for names of categories that stand upright
)

// SVG draws a chart as an SVG document.
func SVG(c *results.Chart) []byte {
	p := plan(c)
	s := newSVG(width, p.height, c.Title)
	p.draw(s)
	return s.bytes()
}

// PNG draws a chart as a PNG image.
func PNG(c *results.Chart) ([]byte, error) {
	p := plan(c)
	r := newRaster(width, p.height)
	p.draw(r)
	return r.bytes()
}

// picture is a chart whose parts have their places.
type picture struct {
	*results.Chart
	ruler                    ruler
	height                   float64
	title, note              []string
	legend                   []entry
	xAxis, yAxis             axis
	xTicks, yTicks           []tick
	left, right, top, bottom float64 // edges of the plot
	names                    [][]string
	upright                  bool // the names of the categories
}

// entry is a name in the legend.
type entry struct {
	name  string
	at    point
	index int // of the series, -1 for the bands
}

func plan(c *results.Chart) *picture {
	p := &picture{Chart: c, xAxis: axis{Axis: c.X}, yAxis: axis{Axis: c.Y}}
	p.title = p.ruler.wrap(c.Title, titleSize, true, width-2*margin, 3)
	p.note = p.ruler.wrap(c.Note, noteSize, false, width-2*margin, 4)
	p.top = margin + float64(len(p.title))*(titleSize+6) + float64(len(p.note))*(noteSize+5) + 4
	p.placeLegend()
	p.see()
	p.yTicks = p.yAxis.ticks(6)
	p.left = margin + labelSize + 12
	most := 0.0
	for _, t := range p.yTicks {
		most = max(most, p.ruler.width(t.label, labelSize, false))
	}
	p.left += most + 4
	p.right = width - margin - 16
	p.top += 22
	p.bottom = p.top + plotHeight
	p.height = p.bottom + 22 + labelSize + 10 + margin
	if c.Kind == results.Bars {
		p.nameCategories()
		return p
	}
	p.xTicks = fitting(&p.ruler, &p.xAxis, p.right-p.left)
	if c.Kind == results.HeatMap {
		p.height += 34 // the scale of colours
	}
	return p
}

// fitting returns ticks whose labels do not touch.
func fitting(r *ruler, a *axis, room float64) (ticks []tick) {
	for n := 9; n >= 2; n-- {
		ticks = a.ticks(n)
		end, good := math.Inf(-1), true
		for _, t := range ticks {
			half := r.width(t.label, labelSize, false)/2 + 6
			at := (t.at - a.from) / (a.to - a.from) * room
			good = good && at-half >= end
			end = at + half
		}
		if good {
			break
		}
	}
	return ticks
}

// see finds the range of the values.
func (p *picture) see() {
	if p.Heat != nil && p.Kind == results.HeatMap {
		for _, v := range []float64{p.Heat.X[0], p.Heat.X[len(p.Heat.X)-1]} {
			p.xAxis.see(v)
		}
		for _, v := range p.Heat.Y {
			p.yAxis.see(v)
		}
		p.xAxis.round(false)
		if !p.yAxis.any || p.yAxis.from == p.yAxis.to {
			p.yAxis.round(true)
		}
		return
	}
	for _, s := range p.Series {
		for i, y := range s.Y {
			if p.Kind == results.Lines {
				if math.IsNaN(place(p.X.Scale, s.X[i])) || math.IsNaN(place(p.Y.Scale, y)) {
					continue
				}
				p.xAxis.see(s.X[i])
			}
			p.yAxis.see(y)
		}
	}
	if p.Kind == results.Bars {
		if p.Y.Scale == results.Log {
			p.yAxis.from -= 0.3 // the least bar can be seen
		} else {
			p.yAxis.see(0)
		}
	} else {
		for _, b := range p.Bands {
			p.xAxis.see(b.From)
			p.xAxis.see(b.To)
		}
	}
	p.xAxis.round(false)
	p.yAxis.round(true)
}

func (p *picture) placeLegend() {
	names := []entry{}
	if len(p.Series) > 1 || p.Kind == results.Lines {
		for i, s := range p.Series {
			names = append(names, entry{name: s.Name, index: i})
		}
	}
	if p.Kind == results.Lines {
		seen := map[string]bool{}
		for _, b := range p.Bands {
			if !seen[b.Label] {
				names = append(names, entry{name: b.Label, index: -1})
			}
			seen[b.Label] = true
		}
	}
	at := point{margin, p.top + 14}
	for _, e := range names {
		e.name = p.ruler.wrap(e.name+" ", labelSize, false, width-2*margin-30, 1)[0]
		room := p.ruler.width(e.name, labelSize, false) + 46
		if at.x > margin && at.x+room > width-margin+16 {
			at = point{margin, at.y + labelSize + 8}
		}
		e.at = at
		p.legend = append(p.legend, e)
		at.x += room
	}
	if len(names) > 0 {
		p.top = at.y + 4
	}
}

// nameCategories sets the names below the bars, upright if they would be too long.
func (p *picture) nameCategories() {
	slot := (p.right - p.left) / float64(max(len(p.Categories), 1))
	lines := 0
	for _, name := range p.Categories {
		broken := p.ruler.wrap(name, labelSize, false, slot-8, 4)
		p.names = append(p.names, broken)
		lines = max(lines, len(broken))
	}
	if lines <= 3 && slot > 40 {
		p.height += float64(max(lines-1, 0)) * (labelSize + 3)
		return
	}
	p.upright, p.names = true, nil
	most := 0.0
	for _, name := range p.Categories {
		broken := p.ruler.wrap(name, labelSize, false, maxMoved, 1)
		p.names = append(p.names, broken)
		for _, s := range broken {
			most = max(most, p.ruler.width(s, labelSize, false))
		}
	}
	p.height += most
}

func (p *picture) x(v float64) float64 { return p.left + p.xAxis.share(v)*(p.right-p.left) }
func (p *picture) y(v float64) float64 { return p.bottom - p.yAxis.share(v)*(p.bottom-p.top) }
