package draw

import (
	"encoding/binary"
	"image"
	"image/color"
)

// indexed is the picture with a table of at most 256 colours, which halves a PNG and is
// written in an eighth of the time; or the picture itself if it needs more. Colours whose
// channels have the same upper four bits become the one of them that most pixels have:
// those of edges move a little, those of areas do not.
func indexed(img *image.RGBA) image.Image {
	pixels := map[uint32]int{}
	runs(img, func(c uint32, _, n int) { pixels[c] += n })
	most := map[uint32]uint32{} // by bucket
	for c, n := range pixels {
		old, ok := most[bucket(c)]
		if !ok || n > pixels[old] || n == pixels[old] && c < old {
			most[bucket(c)] = c
		}
	}
	if len(most) > 256 {
		return img
	}
	out := &image.Paletted{Pix: make([]uint8, len(img.Pix)/4), Stride: img.Stride / 4, Rect: img.Rect}
	index := map[uint32]uint8{}
	runs(img, func(c uint32, at, n int) {
		i, ok := index[bucket(c)]
		if !ok {
			i = uint8(len(index))
			index[bucket(c)] = i
			m := most[bucket(c)]
			out.Palette = append(out.Palette, color.RGBA{uint8(m >> 24), uint8(m >> 16), uint8(m >> 8), uint8(m)})
		}
		if i == 0 {
			return // as it is
		}
		for j := range n {
			out.Pix[at+j] = i
		}
	})
	return out
}

func bucket(c uint32) uint32 { return c & 0xf0f0f0f0 }

// runs calls f for each run of pixels of one colour, with the place of its first.
func runs(img *image.RGBA, f func(c uint32, at, n int)) {
	for at := 0; at < len(img.Pix)/4; {
		c := binary.BigEndian.Uint32(img.Pix[4*at:])
		n := 1
		for 4*(at+n) < len(img.Pix) && binary.BigEndian.Uint32(img.Pix[4*(at+n):]) == c {
			n++
		}
		f(c, at, n)
		at += n
	}
}
