package draw

import (
	"bytes"
	"encoding/xml"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/sample"
)

// TestPictures draws all charts twice. LARDER_PICTURES names a directory to keep them in.
func TestPictures(t *testing.T) {
	for _, s := range sample.Document(1).Sections {
		for _, c := range s.Charts {
			vector, pixels := SVG(&c), must(PNG(&c))(t)
			if !bytes.Equal(vector, SVG(&c)) || !bytes.Equal(pixels, must(PNG(&c))(t)) {
				t.Errorf("%s is not the same twice", c.ID)
			}
			for d := xml.NewDecoder(bytes.NewReader(vector)); ; {
				token, err := d.Token()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("%s: %v", c.ID, err)
				}
				if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "img" || e.Name.Local == "script") {
					t.Errorf("%s has an element %s", c.ID, e.Name.Local)
				}
			}
			img, err := png.Decode(bytes.NewReader(pixels))
			if err != nil {
				t.Fatal(err)
			}
			colored := 0
			for x := 0; x < img.Bounds().Dx(); x += 2 {
				for y := 0; y < img.Bounds().Dy(); y += 2 {
					r, g, b, _ := img.At(x, y).RGBA()
					if max(r, g, b)-min(r, g, b) > 0x4000 {
						colored++
					}
				}
			}
			if (colored > 125) == (c.ID == "nothing") {
				t.Errorf("%s has %d pixels in colour", c.ID, colored)
			}
			if dir := os.Getenv("LARDER_PICTURES"); dir != "" {
				os.WriteFile(filepath.Join(dir, c.ID+".svg"), vector, 0o666)
				os.WriteFile(filepath.Join(dir, c.ID+".png"), pixels, 0o666)
			}
		}
	}
}

func must(data []byte, err error) func(*testing.T) []byte {
	return func(t *testing.T) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}

func TestTicksAreFewAndInside(t *testing.T) {
	values := []float64{-1e300, -5, 0, 1e-300, 0.001, 0.5, 0.99999, 1, 2, 1e3, 1e9, 1e300}
	for _, scale := range []results.Scale{results.Linear, results.Log, results.Nines} {
		for _, unit := range []results.Unit{results.Nanoseconds, results.PerSecond, results.Ratio, results.Bytes, results.Count, results.Seconds} {
			for _, low := range values {
				for _, high := range values {
					a := axis{Axis: results.Axis{Unit: unit, Scale: scale}}
					a.see(low)
					a.see(high)
					a.round(true)
					ticks := a.ticks(6)
					if len(ticks) > 25 || math.IsNaN(a.from) || !(a.to > a.from) {
						t.Fatalf("%s %s %v to %v: %d ticks from %v to %v", scale, unit, low, high, len(ticks), a.from, a.to)
					}
					for _, k := range ticks {
						if s := (k.at - a.from) / (a.to - a.from); !(s > -0.01 && s < 1.01) {
							t.Errorf("%s %s %v to %v: a tick at %v", scale, unit, low, high, s)
						}
					}
				}
			}
		}
	}
}

func TestLabels(t *testing.T) {
	for _, c := range []struct {
		unit    results.Unit
		v, step float64
		want    string
	}{
		{results.Nanoseconds, 0, 1, "0"}, {results.Nanoseconds, 1e6, 0, "1 ms"}, {results.Nanoseconds, 1.5e9, 5e8, "1.5 s"},
		{results.Ratio, 0.2, 0.2, "20%"}, {results.Ratio, 0.9995, 0.0005, "99.95%"}, {results.PerSecond, 20000, 5000, "20,000/s"},
		{results.Bytes, 5e6, 5e6, "5 MB"}, {results.Count, 0.5, 0.5, "0.5"},
	} {
		if got := Label(c.unit, c.v, c.step); got != c.want {
			t.Errorf("%v %s is %q, not %q", c.v, c.unit, got, c.want)
		}
	}
}

func TestManyPointsAreThinnedToWhatCanBeSeen(t *testing.T) {
	points := make([]point, 100000)
	for i := range points {
		points[i] = point{float64(i) / 1000, float64(i % 7)}
	}
	if got := thin(points); len(got) > 1000 || got[0] != points[0] || got[len(got)-1] != points[len(points)-1] {
		t.Errorf("%d points remain", len(got))
	}
}

func TestDashesCoverTheirShareOfTheLine(t *testing.T) {
	drawn := 0.0
	for _, part := range dashes([]point{{0, 0}, {300, 400}, {300, 1000}}) {
		for i := 1; i < len(part); i++ {
			drawn += math.Hypot(part[i].x-part[i-1].x, part[i].y-part[i-1].y)
		}
	}
	if math.Abs(drawn-1100*dash/(dash+gap)) > 10 {
		t.Errorf("%v of 1100 are drawn", drawn)
	}
}

func TestAPictureKeepsTheColoursOfItsAreas(t *testing.T) {
	many := image.NewRGBA(image.Rect(0, 0, 64, 64))
	for i := range 64 * 64 { // another bucket each
		many.SetRGBA(i%64, i/64, color.RGBA{uint8(i % 16 << 4), uint8(i / 16 % 16 << 4), uint8(i / 256 << 4), 255})
	}
	if indexed(many) != image.Image(many) {
		t.Error("a picture of 4096 colours has got a table of 256")
	}
	few := image.NewRGBA(image.Rect(0, 0, 64, 64))
	draw.Draw(few, few.Rect, image.NewUniform(white), image.Point{}, draw.Src)
	draw.Draw(few, image.Rect(0, 0, 64, 20), image.NewUniform(palette[0]), image.Point{}, draw.Src)
	edge := palette[0]
	edge.B ^= 1
	few.SetRGBA(3, 3, edge)
	got, ok := indexed(few).(*image.Paletted)
	if !ok || len(got.Palette) != 2 || got.At(3, 3) != color.Color(palette[0]) || got.At(0, 0) != color.Color(palette[0]) || got.At(63, 63) != color.Color(white) || got.At(63, 19) != color.Color(palette[0]) || got.At(0, 20) != color.Color(white) {
		t.Errorf("the table has %v", got.Palette)
	}
}
