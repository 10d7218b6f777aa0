// Package draw makes pictures of charts, as SVG and as PNG, without a browser. The same
// chart gives the same bytes. Text is measured with the font that the PNG is set in; the
// SVG asks for one like it and fits it into the same width.
package draw

import "image/color"

// point is a place on a canvas: to the right and down from the top left corner.
type point struct{ x, y float64 }

// anchor says which part of a text is at its point.
type anchor int

const (
	start anchor = iota
	middle
	end
)

// pen draws lines.
type pen struct {
	color  color.RGBA
	width  float64
	dashed bool
}

// lettering sets text.
type lettering struct {
	size   float64
	color  color.RGBA
	anchor anchor
	bold   bool
	up     bool // runs from the bottom to the top
}

// canvas is what a chart is drawn on.
type canvas interface {
	rect(x, y, width, height float64, c color.RGBA)
	line(points []point, p pen)
	// text sets one line; at is on its base line.
	text(at point, s string, l lettering)
}

// The colours, which people who see few colours can tell from each other (Okabe and Ito,
// Color Universal Design, 2008; without the yellow, which nobody sees on white).
var palette = []color.RGBA{
	rgb(0x0072b2), rgb(0xd55e00), rgb(0x009e73), rgb(0xcc79a7), rgb(0xb07800), rgb(0x56b4e9), rgb(0x555555),
}

var (
	white  = rgb(0xffffff)
	ink    = rgb(0x1f2328)
	faded  = rgb(0x59636e)
	grid   = rgb(0xe4e7eb)
	frame  = rgb(0xafb8c1)
	shaded = rgb(0xfde8d4)
)

func rgb(v uint32) color.RGBA {
	return color.RGBA{uint8(v >> 16), uint8(v >> 8), uint8(v), 255}
}

// seriesPen is that of the series with an index: after the last colour, lines are dashed.
func seriesPen(i int, dashed bool) pen {
	return pen{palette[i%len(palette)], 2, dashed || i/len(palette)%2 == 1}
}

// heatColor is from pale to dark, for a share from 0 to 1 of the largest count.
func heatColor(share float64) color.RGBA {
	stops := []color.RGBA{rgb(0xe8f1fa), rgb(0x9ecae1), rgb(0x4292c6), rgb(0x08519c), rgb(0x081d58)}
	at := min(max(share, 0), 1) * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*(at-float64(i)) + 0.5) }
	a, b := stops[i], stops[i+1]
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 255}
}
