package draw

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"
)

// svg is a canvas that becomes text.
type svg struct {
	out   bytes.Buffer
	ruler ruler
}

func newSVG(width, height float64, title string) *svg {
	s := &svg{}
	fmt.Fprintf(&s.out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%[1]s" height="%[2]s" role="img" font-family="Go, Helvetica, Arial, 'Liberation Sans', sans-serif">`, num(width), num(height))
	fmt.Fprintf(&s.out, "\n<title>%s</title>\n", escape(title))
	return s
}

func (s *svg) bytes() []byte { return append(s.out.Bytes(), "</svg>\n"...) }

func (s *svg) rect(x, y, width, height float64, c color.RGBA) {
	fmt.Fprintf(&s.out, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n", num(x), num(y), num(width), num(height), hex(c))
}

func (s *svg) line(points []point, p pen) {
	if len(points) == 0 {
		return
	}
	s.out.WriteString(`<path d="`)
	for i, at := range points {
		s.out.WriteByte("ML"[min(i, 1)])
		s.out.WriteString(num(at.x) + " " + num(at.y))
	}
	if len(points) == 1 {
		s.out.WriteString("h0")
	}
	fmt.Fprintf(&s.out, `" fill="none" stroke="%s" stroke-width="%s" stroke-linejoin="round"`, hex(p.color), num(p.width))
	if p.dashed {
		fmt.Fprintf(&s.out, ` stroke-dasharray="%s %s"`, num(dash), num(gap))
	} else {
		s.out.WriteString(` stroke-linecap="round"`)
	}
	s.out.WriteString("/>\n")
}

func (s *svg) text(at point, text string, l lettering) {
	text = printable(text)
	if text == "" {
		return
	}
	fmt.Fprintf(&s.out, `<text x="%s" y="%s" font-size="%s" fill="%s" textLength="%s" lengthAdjust="spacingAndGlyphs"`,
		num(at.x), num(at.y), num(l.size), hex(l.color), num(s.ruler.width(text, l.size, l.bold)))
	if l.anchor != start {
		fmt.Fprintf(&s.out, ` text-anchor="%s"`, [...]string{middle: "middle", end: "end"}[l.anchor])
	}
	if l.bold {
		s.out.WriteString(` font-weight="bold"`)
	}
	if l.up {
		fmt.Fprintf(&s.out, ` transform="rotate(-90 %s %s)"`, num(at.x), num(at.y))
	}
	fmt.Fprintf(&s.out, ">%s</text>\n", escape(text))
}

// num writes a place with a hundredth of a pixel.
func num(x float64) string {
	return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64)
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;")

func escape(s string) string { return escaper.Replace(printable(s)) }
