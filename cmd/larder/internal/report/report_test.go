package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/sample"
)

func written(t *testing.T, sources ...Source) string {
	t.Helper()
	var page bytes.Buffer
	if err := Write(&page, sources...); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestHostileTextStaysText(t *testing.T) {
	page := written(t, Source{"a<b", sample.Document(1)}, Source{"c", sample.Document(2)})
	for _, bad := range []string{"<img", "</script><", "<b>\"", "a<b"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if n := strings.Count(page, "<script"); n != 4 {
		t.Errorf("there are %d scripts", n)
	}
}

func TestTheWorstNoteIsFirst(t *testing.T) {
	page := written(t, Source{"", sample.Document(1)})
	if f, w, i := strings.Index(page, "3 reads were stale"), strings.Index(page, "The generator used"), strings.Index(page, "from the planned start"); !(0 < f && f < w && w < i) {
		t.Errorf("notes are at %d, %d, %d", f, w, i)
	}
}

func TestOverlayKeepsBothAndChangesNeither(t *testing.T) {
	a, b := sample.Document(1), sample.Document(2)
	before := written(t, Source{"", a})
	d := Overlay(Source{"old", a}, Source{"new", b})
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	if written(t, Source{"", a}) != before {
		t.Error("a document was changed")
	}
	c := d.Sections[0].Charts[0]
	if len(c.Series) != 4 || c.Series[0].Name != "old: L1 + L2" || c.Series[2].Name != "new: L1 + L2" {
		t.Errorf("the series are %v", c.Series)
	}
	if side := d.Sections[0].Tables[0]; len(side.Rows) != 3 || len(side.Columns) != 3 || side.Rows[0][0] != "aside.get.p99" {
		t.Errorf("the table is %v", side)
	}
	heat := 0
	for _, s := range d.Sections {
		for _, c := range s.Charts {
			if c.Kind == results.HeatMap {
				heat++
			}
		}
	}
	if heat != 2 {
		t.Errorf("there are %d heat maps", heat)
	}
}

func TestCommandLineCanBeTypedAgain(t *testing.T) {
	if got, want := shell([]string{"larder", "--a=b", "it's", ""}), `larder --a=b 'it'\''s' ''`; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

// FuzzReport shows whatever can be read.
func FuzzReport(f *testing.F) {
	dir := f.TempDir()
	path, err := sample.Document(1).Write(dir)
	if err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	const head = `{"schema":"larder.results/1","sections":[{"name":"s","charts":[`
	f.Add([]byte(head + `{"id":"a","kind":"lines","x":{"scale":"nines"},"y":{"unit":"ns"},"series":[{"x":[0,1],"y":[-1e308,1e308]}],"bands":[{"from":2,"to":-1}]}]}]}`))
	f.Add([]byte(head + `{"id":"a","kind":"bars","categories":["","x"],"y":{"unit":"B","scale":"log"},"series":[{"y":[null,-1]},{"y":[1e-300,1e300]}]}]}]}`))
	f.Add([]byte(head + `{"id":"a","kind":"heatmap","heat":{"x":[1,2],"y":[0,5e-324],"count":[[1e308]]}}],"tables":[{"columns":["a"],"rows":[["b"]]}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), results.FileName)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		d, err := results.Read(path)
		if err != nil {
			return
		}
		for _, s := range d.Sections {
			s.Text(new(bytes.Buffer))
		}
		fixed := len(written(t, Source{"", &results.Document{}}))
		if n := len(written(t, Source{"a", d}, Source{"b", d})); n > fixed+200*len(data)+100_000 {
			t.Errorf("%d bytes become %d", len(data), n)
		}
	})
}
