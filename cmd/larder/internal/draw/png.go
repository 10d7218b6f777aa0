package draw

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"

	"golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"
)

// zoom is the number of pixels of a PNG for one of the layout.
const zoom = 2

// raster is a canvas of pixels.
type raster struct {
	img   *image.RGBA
	ruler ruler
}

func newRaster(width, height float64) *raster {
	return &raster{img: image.NewRGBA(image.Rect(0, 0, int(width*zoom), int(height*zoom)))}
}

func (r *raster) bytes() ([]byte, error) {
	var out bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&out, indexed(r.img))
	return out.Bytes(), err
}

func (r *raster) rect(x, y, width, height float64, c color.RGBA) {
	at := func(v float64) int { return int(math.Round(v * zoom)) }
	area := image.Rect(at(x), at(y), at(x+width), at(y+height))
	draw.Draw(r.img, area, image.NewUniform(c), image.Point{}, draw.Src)
}

// line fills a rectangle for each part of the line, and a circle where two meet.
func (r *raster) line(points []point, p pen) {
	parts := [][]point{points}
	if p.dashed {
		parts = dashes(points)
	}
	half := p.width * zoom / 2
	box := extent(points, half+1)
	if box = box.Intersect(r.img.Bounds()); box.Empty() {
		return
	}
	corner := point{float64(box.Min.X), float64(box.Min.Y)}
	v := vector.NewRasterizer(box.Dx(), box.Dy())
	pixel := func(p point) point { return point{p.x*zoom - corner.x, p.y*zoom - corner.y} }
	for _, part := range parts {
		for i, at := range part {
			at = pixel(at)
			if !p.dashed {
				circle(v, at, half)
			}
			if i == 0 {
				continue
			}
			from := pixel(part[i-1])
			dx, dy := at.x-from.x, at.y-from.y
			length := math.Hypot(dx, dy)
			if length == 0 {
				continue
			}
			nx, ny := -dy/length*half, dx/length*half
			polygon(v, point{from.x + nx, from.y + ny}, point{from.x - nx, from.y - ny}, point{at.x - nx, at.y - ny}, point{at.x + nx, at.y + ny})
		}
	}
	v.Draw(r.img, box, image.NewUniform(p.color), image.Point{})
}

// extent is the part of the image that a line of points can touch.
func extent(points []point, around float64) (box image.Rectangle) {
	for _, at := range points {
		x, y := at.x*zoom, at.y*zoom
		box = box.Union(image.Rect(int(x-around), int(y-around), int(x+around)+1, int(y+around)+1))
	}
	return box
}

func circle(v *vector.Rasterizer, at point, radius float64) {
	corners := make([]point, 12)
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(corners)))
		corners[i] = point{at.x + radius*cos, at.y + radius*sin}
	}
	polygon(v, corners...)
}

// polygon adds an area. All turn the same way, so that areas that overlap are filled.
func polygon(v *vector.Rasterizer, corners ...point) {
	v.MoveTo(float32(corners[0].x), float32(corners[0].y))
	for _, c := range corners[1:] {
		v.LineTo(float32(c.x), float32(c.y))
	}
	v.ClosePath()
}

const dash, gap = 7, 4

// dashes cuts a line.
func dashes(points []point) (parts [][]point) {
	if len(points) == 0 {
		return nil
	}
	on, left := true, float64(dash)
	part := points[:1:1]
	for i := 1; i < len(points); i++ {
		from, to := points[i-1], points[i]
		length := math.Hypot(to.x-from.x, to.y-from.y)
		for done := 0.0; done < length; {
			step := min(left, length-done)
			done, left = done+step, left-step
			share := done / length
			at := point{from.x + (to.x-from.x)*share, from.y + (to.y-from.y)*share}
			if on {
				part = append(part, at)
			}
			if left > 0 {
				continue
			}
			if on {
				parts, part, left = append(parts, part), nil, gap
			} else {
				part, left = []point{at}, dash
			}
			on = !on
		}
	}
	if len(part) > 1 {
		parts = append(parts, part)
	}
	return parts
}

func (r *raster) text(at point, text string, l lettering) {
	text = printable(text)
	f := r.ruler.face(l.size*zoom, l.bold)
	width := float64(font.MeasureString(f, text)) / 64
	shift := [...]float64{start: 0, middle: width / 2, end: width}[l.anchor]
	x, y := at.x*zoom, at.y*zoom
	if !l.up {
		d := font.Drawer{Dst: r.img, Src: image.NewUniform(l.color), Face: f, Dot: fixed.Point26_6{X: fixed.Int26_6((x - shift) * 64), Y: fixed.Int26_6(y * 64)}}
		d.DrawString(text)
		return
	}
	// It is set on an image of its own, which is then turned.
	m := f.Metrics()
	height := (m.Ascent + m.Descent).Ceil()
	lying := image.NewAlpha(image.Rect(0, 0, int(width)+2, height))
	d := font.Drawer{Dst: lying, Src: image.Opaque, Face: f, Dot: fixed.Point26_6{Y: m.Ascent}}
	d.DrawString(text)
	standing := image.NewAlpha(image.Rect(0, 0, height, lying.Rect.Dx()))
	for i := range lying.Rect.Dx() {
		for j := range height {
			standing.SetAlpha(j, lying.Rect.Dx()-1-i, lying.AlphaAt(i, j))
		}
	}
	corner := image.Pt(int(x)-m.Ascent.Ceil(), int(y+shift)-lying.Rect.Dx())
	draw.DrawMask(r.img, standing.Rect.Add(corner), image.NewUniform(l.color), image.Point{}, standing, image.Point{}, draw.Over)
}
