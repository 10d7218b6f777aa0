package draw

import (
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

var regular, bold = parsed(goregular.TTF), parsed(gobold.TTF)

func parsed(ttf []byte) func() *opentype.Font {
	return sync.OnceValue(func() *opentype.Font {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic(err) // a font that is part of the program
		}
		return f
	})
}

// face returns the font in a size in pixels. It is for one goroutine.
func face(size float64, isBold bool) font.Face {
	f := regular()
	if isBold {
		f = bold()
	}
	made, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(err) // impossible with these options
	}
	return made
}

// ruler measures text.
type ruler struct{ faces map[lettering]font.Face }

func (r *ruler) face(size float64, isBold bool) font.Face {
	key := lettering{size: size, bold: isBold}
	f, ok := r.faces[key]
	if !ok {
		if r.faces == nil {
			r.faces = map[lettering]font.Face{}
		}
		f = face(size, isBold)
		r.faces[key] = f
	}
	return f
}

func (r *ruler) width(s string, size float64, isBold bool) float64 {
	return float64(font.MeasureString(r.face(size, isBold), s)) / 64
}

// wrap breaks a text into lines of a width, between words if it can. Of what does not
// fit into the lines, an ellipsis remains.
func (r *ruler) wrap(s string, size float64, isBold bool, width float64, lines int) (out []string) {
	rest := []rune(printable(s))
	for len(rest) > 0 && len(out) < lines {
		n, space := 0, 0
		for used := 0.0; n < len(rest); n++ {
			if used += r.width(string(rest[n]), size, isBold); used > width {
				break
			}
			if rest[n] == ' ' {
				space = n
			}
		}
		if n < len(rest) && len(out) == lines-1 {
			return append(out, string(rest[:max(n-2, 0)])+"…")
		}
		if n < len(rest) && space > 0 {
			n = space
		}
		out = append(out, string(rest[:max(n, 1)]))
		rest = rest[max(n, 1):]
		for len(rest) > 0 && rest[0] == ' ' {
			rest = rest[1:]
		}
	}
	return out
}

// maxText bounds the runes of any text in a picture.
const maxText = 1000

// printable is s without what could not be shown.
func printable(s string) string {
	out := make([]rune, 0, min(len(s), maxText))
	for _, c := range s {
		if len(out) == maxText {
			break
		}
		if !unicode.IsPrint(c) {
			c = ' '
		}
		out = append(out, c)
	}
	return string(out)
}
