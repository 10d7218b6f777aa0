//go:build !race

// The page has no goroutines to race, and the protocol of browsers takes long to compile.

package report

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/sample"
)

// browser opens a page in a headless Chromium of its own and records what it complains
// about and asks for.
type browser struct {
	context.Context
	url string

	mu       sync.Mutex
	problems []string
}

func open(t *testing.T, sources ...Source) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Chromium.app/Contents/MacOS/Chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("there is no Chromium: run scripts/ensure-chromium.sh")
	}
	var page bytes.Buffer
	if err := Write(&page, sources...); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, page.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(2*time.Minute), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{Context: ctx, url: "file://" + filepath.ToSlash(file)}
	t.Cleanup(func() { b.checkQuiet(t) })
	b.run(t, chromedp.EmulateViewport(1280, 900)) // starts it
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	call(t, b, network.Enable, network.EnableParams{})
	call(t, b, log.Enable, cdp.Empty{})
	call(t, b, runtime.Enable, cdp.Empty{})
	b.run(t, chromedp.Navigate(b.url), chromedp.WaitReady("body"))
	return b
}

// call sends a command of the protocol.
func call[P, R any](t *testing.T, b *browser, command cdp.Command[P, R], params P) {
	t.Helper()
	if _, err := chromedp.Call(b, command, params); err != nil {
		t.Fatal(err)
	}
}

func (b *browser) hear(event any) {
	problem := ""
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if e.Request.URL != b.url && e.Request.URL != "data:," {
			problem = "asked for " + e.Request.URL
		}
	case *runtime.EventExceptionThrown:
		problem = "exception " + e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			problem += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		problem = "console " + string(e.Type)
	case *log.EventEntryAdded:
		problem = "log " + e.Entry.Text
	}
	if problem != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.problems = append(b.problems, problem)
	}
}

func (b *browser) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b, actions...); err != nil {
		t.Fatal(err)
	}
}

// value evaluates an expression.
func value[T any](t *testing.T, b *browser, script string) T {
	t.Helper()
	v, err := chromedp.Run(b, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// frames waits until what was changed has been drawn.
func (b *browser) frames(t *testing.T) {
	t.Helper()
	const script = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 0))))`
	value[bool](t, b, script)
}

func (b *browser) resize(t *testing.T, width int64) {
	t.Helper()
	b.run(t, chromedp.EmulateViewport(width, 900))
	b.frames(t)
}

// picture keeps a screenshot if LARDER_PICTURES names a directory.
func (b *browser) picture(t *testing.T, name string) {
	t.Helper()
	data, err := chromedp.Run(b, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("LARDER_PICTURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// colored counts the pixels of a chart's canvas that are neither grey nor see-through.
const colored = `(id => {
	const c = document.querySelector("#chart-" + id + " canvas");
	if (!c) return 0;
	const copy = Object.assign(document.createElement("canvas"), {width: c.width, height: c.height}).getContext("2d", {willReadFrequently: true});
	copy.drawImage(c, 0, 0);
	const d = copy.getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 0; i < d.length; i += 4)
		if (d[i+3] > 128 && Math.max(d[i], d[i+1], d[i+2]) - Math.min(d[i], d[i+1], d[i+2]) > 60) n++;
	return n;
})`

func (b *browser) checkDrawn(t *testing.T, d *results.Document) {
	t.Helper()
	for _, s := range d.Sections {
		for _, c := range s.Charts {
			marks := value[int](t, b, fmt.Sprintf(`+document.getElementById("chart-%s").dataset.drawn`, c.ID))
			pixels := value[int](t, b, colored+fmt.Sprintf(`("%s")`, c.ID))
			if empty := c.ID == "nothing"; empty != (marks == 0) || empty != (pixels < 150) {
				t.Errorf("%s drew %d points and %d pixels", c.ID, marks, pixels)
			}
		}
	}
}

func (b *browser) checkLayout(t *testing.T, width int) {
	t.Helper()
	if wide := value[int](t, b, `document.documentElement.scrollWidth`); wide > width {
		t.Errorf("the page is %d pixels wide in a window of %d", wide, width)
	}
	const small = `[...document.querySelectorAll("body *")].filter(e => e.offsetParent && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && parseFloat(getComputedStyle(e).fontSize) < 11).map(e => e.tagName + " " + e.className)`
	if got := value[[]string](t, b, small); len(got) > 0 {
		t.Errorf("text smaller than 11 pixels: %q", got)
	}
}

func (b *browser) checkQuiet(t *testing.T) {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		t.Error("the page:", p)
	}
}

// TestReportInABrowser opens the page and uses it.
func TestReportInABrowser(t *testing.T) {
	d := sample.Document(1)
	b := open(t, Source{"run", d})
	b.frames(t)
	b.checkDrawn(t, d)
	b.checkLayout(t, 1280)
	b.picture(t, "page-1280.png")

	// Hover shows values.
	const over = `document.querySelector("#chart-outage-rate .u-over")`
	if !value[bool](t, b, over+`.scrollIntoView({block: "center"}), true`) {
		t.Fatal("no plot")
	}
	box := value[[]float64](t, b, `(r => [r.left, r.top, r.width, r.height])(`+over+`.getBoundingClientRect())`)
	at := func(x float64) (float64, float64) { return box[0] + box[2]*x, box[1] + box[3]/2 }
	x, y := at(0.25)
	b.run(t, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y))
	b.frames(t)
	legend := value[string](t, b, `document.querySelector("#chart-outage-rate .u-legend").innerText`)
	if !strings.Contains(legend, "/s") || !strings.Contains(legend, " s") {
		t.Errorf("the legend below the pointer is %q", legend)
	}
	// Dragging zooms, a double click shows all again.
	const span = `(s => s.max - s.min)(larder.plots["outage-rate"].scales.x)`
	all := value[float64](t, b, span)
	to, _ := at(0.75)
	b.run(t, chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, (x+to)/2, y, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, to, y, chromedp.ButtonLeft),
		chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, to, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	b.frames(t)
	if zoomed := value[float64](t, b, span); zoomed > 0.6*all || zoomed < 0.4*all {
		t.Errorf("a half of the axis from %v is %v", all, zoomed)
	}
	b.run(t, chromedp.MouseClickXY(x, y, chromedp.ClickCount(2)))
	b.frames(t)
	if again := value[float64](t, b, span); again != all {
		t.Errorf("the axis is %v after a double click, and was %v", again, all)
	}
	for id, want := range map[string]string{"strategies": "p99.9: ", "outage-heat": "how many: "} {
		value[bool](t, b, fmt.Sprintf(`document.querySelector("#chart-%s canvas").scrollIntoView({block: "center"}), true`, id))
		r := value[[]float64](t, b, fmt.Sprintf(`(r => [r.left + r.width/2, r.top + r.height/2])(document.querySelector("#chart-%s canvas").getBoundingClientRect())`, id))
		b.run(t, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, r[0], r[1]))
		if tip := value[string](t, b, fmt.Sprintf(`document.querySelector("#chart-%s .tip:not([hidden])")?.innerText || ""`, id)); !strings.Contains(tip, want) {
			t.Errorf("%s shows %q at the pointer", id, tip)
		}
	}

	b.resize(t, 390)
	b.checkDrawn(t, d)
	b.checkLayout(t, 390)
	b.picture(t, "page-390.png")
	call(t, b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	b.resize(t, 1280)
	b.checkDrawn(t, d)
	b.picture(t, "page-dark.png")
	if n := value[int](t, b, `document.querySelectorAll("img, b:not(.note b)").length`); n > 0 {
		t.Errorf("%d elements are from text", n)
	}
}

// TestOverlayInABrowser lays two runs on top of each other.
func TestOverlayInABrowser(t *testing.T) {
	sources := []Source{{"old", sample.Document(1)}, {"new", sample.Document(2)}}
	b := open(t, sources...)
	b.frames(t)
	d := Overlay(sources...)
	b.checkDrawn(t, d)
	b.checkLayout(t, 1280)
	b.picture(t, "overlay-1280.png")
	if legend := value[string](t, b, `document.querySelector("#chart-outage-rate .u-legend").innerText`); !strings.Contains(legend, "old: requests") || !strings.Contains(legend, "new: requests") {
		t.Errorf("the legend is %q", legend)
	}
}

// TestFiguresAreWrittenTheSameInTheBrowser compares the two ways to write figures.
func TestFiguresAreWrittenTheSameInTheBrowser(t *testing.T) {
	b := open(t, Source{"run", sample.Document(1)})
	for _, unit := range []results.Unit{results.Nanoseconds, results.PerSecond, results.Ratio, results.Bytes, results.Count, results.Seconds} {
		for _, x := range []float64{0, 0.001, 0.6, 0.974, 1, 9.99, 12.34, 99.96, 999, 1000, 1234567, 8.2e7, 5e9, 123456789012, -3, -1234.6} {
			if got, want := value[string](t, b, fmt.Sprintf("larder.format(%q, %v)", unit, x)), unit.Format(x); got != want {
				t.Errorf("%v %s is %q in the browser and %q elsewhere", x, unit, got, want)
			}
		}
	}
}
