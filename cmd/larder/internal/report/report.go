// Package report shows documents of results as a page of HTML in one file, which asks no
// network for anything and works without a server.
package report

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/draw"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

//go:embed assets/uPlot.iife.min.js
var uPlot string

//go:embed assets/uPlot.min.css
var uPlotStyle string

//go:embed assets/uPlot.LICENSE
var uPlotLicense string

//go:embed assets/page.css
var style string

//go:embed assets/format.js
var formatScript string

//go:embed assets/charts.js
var chartsScript string

// Source is a document and what to call it beside others.
type Source struct {
	Label string
	*results.Document
}

// Write writes the page of one document, or of several on top of each other. The
// documents have been checked.
func Write(w io.Writer, sources ...Source) error {
	d := Overlay(sources...)
	p := &page{}
	p.head(d.Title)
	p.raw("<header>")
	p.element("h1", "", d.Title)
	p.element("p", "when", when(sources))
	p.notes(d)
	p.raw("</header>\n<main>\n")
	var charts []results.Chart
	for _, s := range d.Sections {
		p.section(s)
		charts = append(charts, s.Charts...)
	}
	p.about(sources)
	p.raw("</main>\n")
	if err := p.scripts(charts); err != nil {
		return err
	}
	_, err := io.WriteString(w, p.String())
	return err
}

func when(sources []Source) string {
	var all []string
	for _, s := range sources {
		line := fmt.Sprintf("%s, for %s, larder %s", s.Started.UTC().Format("2006-01-02 15:04 MST"), s.Took.Round(time.Second), s.Version)
		if len(sources) > 1 {
			line = s.Label + ": " + line
		}
		if s.Interrupted {
			line += ", interrupted"
		}
		all = append(all, line)
	}
	return strings.Join(all, "; ")
}

// page is HTML. All text goes through text or element, which escape it.
type page struct{ strings.Builder }

func (p *page) raw(s string) { p.WriteString(s) }

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

func (p *page) text(s string) { p.WriteString(escaper.Replace(strings.ToValidUTF8(s, "\ufffd"))) }

// element writes text within a tag; nothing if there is no text.
func (p *page) element(tag, class, text string) {
	if text == "" {
		return
	}
	p.raw("<" + tag)
	if class != "" {
		p.raw(` class="` + class + `"`)
	}
	p.raw(">")
	p.text(text)
	p.raw("</" + tag + ">\n")
}

func (p *page) head(title string) {
	p.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" +
		`<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">` +
		"\n<link rel=\"icon\" href=\"data:,\">\n")
	p.element("title", "", title)
	p.raw("<style>" + uPlotStyle + "\n" + style + "</style>\n</head>\n<body>\n")
}

// notes writes what a reader must know first.
func (p *page) notes(d *results.Document) {
	for _, level := range []results.Level{results.Fail, results.Warn, results.Info} {
		for _, s := range d.Sections {
			for _, n := range s.Notes {
				known := n.Level == results.Fail || n.Level == results.Warn
				if n.Level == level || level == results.Info && !known {
					p.note(level, s.Title, n.Text)
				}
			}
		}
	}
}

func (p *page) note(level results.Level, title, text string) {
	word := map[results.Level]string{results.Fail: "Failed", results.Warn: "Warning", results.Info: "Note"}[level]
	p.raw(`<p class="note ` + string(level) + `"><b>` + word + "</b> ")
	p.text(text)
	p.raw(" <small>")
	p.text(title)
	p.raw("</small></p>\n")
}

func (p *page) section(s *results.Section) {
	p.raw("<section>\n")
	p.element("h2", "", s.Title)
	p.element("p", "intro", s.Intro)
	p.facts(s.Facts)
	for _, t := range s.Tables {
		p.table(t)
	}
	for i := range s.Charts {
		p.figure(&s.Charts[i])
	}
	if len(s.Tables)+len(s.Charts)+len(s.Facts)+len(s.Metrics)+len(s.Notes) == 0 {
		p.element("p", "nothing", "Nothing was measured.")
	}
	p.raw("</section>\n")
}

func (p *page) facts(facts []results.Fact) {
	if len(facts) == 0 {
		return
	}
	p.raw("<dl>\n")
	for _, f := range facts {
		p.raw("<div>")
		p.element("dt", "", f.Name)
		p.element("dd", "", f.Value)
		p.raw("</div>")
	}
	p.raw("</dl>\n")
}

func (p *page) table(t results.Table) {
	p.element("h3", "", t.Title)
	p.raw("<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>")
	for _, c := range t.Columns {
		p.raw("<th>")
		p.text(c)
		p.raw("</th>")
	}
	p.raw("</tr></thead>\n<tbody>\n")
	for _, row := range t.Rows {
		p.raw("<tr>")
		for _, cell := range row {
			p.raw("<td>")
			p.text(cell)
			p.raw("</td>")
		}
		p.raw("</tr>\n")
	}
	p.raw("</tbody></table></div>\n")
	p.element("p", "under", t.Note)
}

func (p *page) figure(c *results.Chart) {
	p.raw(`<figure id="chart-` + c.ID + `" data-chart="` + c.ID + "\">\n<figcaption>")
	p.element("h3", "", c.Title)
	p.element("p", "under", c.Note)
	p.raw("</figcaption>\n<div class=\"plot\"></div>\n<noscript>")
	p.raw(string(draw.SVG(c)))
	p.raw("</noscript>\n</figure>\n")
}

// about writes where the figures are from.
func (p *page) about(sources []Source) {
	p.raw("<section>\n<h2>About this run</h2>\n")
	for _, s := range sources {
		if len(sources) > 1 {
			p.element("h3", "", s.Label)
		}
		p.facts([]results.Fact{
			{Name: "environment", Value: s.Environment.String()}, {Name: "server", Value: s.Server.String()},
			{Name: "seed", Value: fmt.Sprint(s.Seed)}, {Name: "larder", Value: s.Version},
		})
		p.element("h3", "", "Command line")
		p.element("pre", "", shell(s.Command))
		if len(s.Config) > 0 {
			p.element("h3", "", "Configuration")
			p.element("pre", "", indented(s.Config))
		}
	}
	p.raw("</section>\n<details><summary>Licence of uPlot, which draws the lines</summary>\n")
	p.element("pre", "", uPlotLicense)
	p.raw("</details>\n")
}

func indented(config json.RawMessage) string {
	var v any
	if json.Unmarshal(config, &v) == nil {
		if out, err := json.MarshalIndent(v, "", "  "); err == nil {
			unescape := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&")
			return unescape.Replace(string(out))
		}
	}
	return string(config)
}

// shell writes a command so that a shell takes it apart again.
func shell(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		plain := func(r rune) bool {
			return r < 128 && (r >= '+' && r <= ':' || r >= '@' && r <= 'Z' || r == '_' || r == '=' || r >= 'a' && r <= 'z')
		}
		if a == "" || strings.ContainsFunc(a, func(r rune) bool { return !plain(r) }) {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// scripts writes the charts as data and the code that draws them. In JSON of Go no "<"
// is left that could end the element.
func (p *page) scripts(charts []results.Chart) error {
	data, err := json.Marshal(charts)
	if err != nil {
		return err
	}
	if charts == nil {
		data = []byte("[]")
	}
	p.raw("<script type=\"application/json\" id=\"charts\">" + string(data) + "</script>\n")
	for _, s := range []string{uPlot, formatScript, chartsScript} {
		p.raw("<script>" + s + "</script>\n")
	}
	p.raw("</body>\n</html>\n")
	return nil
}
