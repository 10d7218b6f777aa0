// Package export writes documents of results in the forms that other tools read.
package export

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/larder-cache/larder/cmd/larder/internal/draw"
	"github.com/larder-cache/larder/cmd/larder/internal/report"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// The directories and files of a run beside its results.json.
const (
	ReportName     = "report.html"
	chartsName     = "charts"
	histogramsName = "histograms"
)

// All writes all forms of one document, or of several on top of each other, into a
// directory: report.html, summary.md, metrics.csv and bench.txt, of each chart
// charts/ID.svg, .png and .csv, and of each histogram histograms/NAME.hgrm. Files of the
// same names are replaced. An error names the path.
func All(dir string, sources ...report.Source) error {
	w := writer{dir: dir}
	w.directory("")
	var page bytes.Buffer
	if err := report.Write(&page, sources...); err != nil {
		return err
	}
	w.file(ReportName, page.Bytes())
	d := report.Overlay(sources...)
	w.file("summary.md", Summary(d))
	w.file("metrics.csv", Metrics(sources...))
	for _, s := range d.Sections {
		for i := range s.Charts {
			c := &s.Charts[i]
			w.directory(chartsName)
			name := filepath.Join(chartsName, c.ID)
			w.file(name+".svg", draw.SVG(c))
			w.file(name+".csv", Chart(c))
			if w.err == nil {
				data, err := draw.PNG(c)
				if err != nil {
					return fmt.Errorf("draw %s.png: %w", name, err)
				}
				w.file(name+".png", data)
			}
		}
	}
	if len(sources) != 1 {
		return w.err
	}
	w.file("bench.txt", Bench(d))
	for _, s := range d.Sections {
		for i, h := range s.Histograms {
			w.directory(histogramsName)
			data, err := Spectrum(h)
			if err != nil {
				return err
			}
			w.file(filepath.Join(histogramsName, fileName(h.Name, i)+".hgrm"), data)
		}
	}
	return w.err
}

// writer writes until the first error.
type writer struct {
	dir string
	err error
}

func (w *writer) directory(name string) {
	if w.err == nil {
		w.err = os.MkdirAll(filepath.Join(w.dir, name), 0o777)
	}
}

func (w *writer) file(name string, data []byte) {
	if w.err == nil {
		w.err = results.WriteFile(filepath.Join(w.dir, name), data)
	}
}

// fileName is a name that is one in every system, whatever a document says.
func fileName(name string, i int) string {
	out := []byte(name)
	for i, c := range out {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0) {
			out[i] = '-'
		}
	}
	if string(out) != name || name == "" || len(name) > 100 {
		return fmt.Sprintf("%s-%d", out[:min(len(out), 100)], i)
	}
	return name
}
