package export

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// Summary returns a document as Markdown that fits into a comment on a pull request: the
// notes and the tables, without pictures.
func Summary(d *results.Document) []byte {
	var out strings.Builder
	fmt.Fprintf(&out, "## %s\n\n", markdown(d.Title))
	for _, level := range []results.Level{results.Fail, results.Warn} {
		for _, s := range d.Sections {
			for _, n := range s.Notes {
				if n.Level == level {
					fmt.Fprintf(&out, "- **%s** %s\n", map[results.Level]string{results.Fail: "Failed:", results.Warn: "Warning:"}[level], markdown(n.Text))
				}
			}
		}
	}
	for _, s := range d.Sections {
		fmt.Fprintf(&out, "\n### %s\n", markdown(s.Title))
		for _, t := range s.Tables {
			markdownTable(&out, t)
		}
		if len(s.Tables) == 0 && len(s.Metrics) > 0 {
			t := results.Table{Columns: []string{"metric", "median"}}
			for _, m := range s.Metrics {
				t.Rows = append(t.Rows, []string{m.Name, m.Unit.Format(m.Value())})
			}
			markdownTable(&out, t)
		}
	}
	if d.Version != "" {
		fmt.Fprintf(&out, "\n%s; %s; seed %d; larder %s\n", markdown(d.Environment.String()), markdown(d.Server.String()), d.Seed, markdown(d.Version))
	}
	return []byte(out.String())
}

func markdownTable(out *strings.Builder, t results.Table) {
	if t.Title != "" {
		fmt.Fprintf(out, "\n**%s**\n", markdown(t.Title))
	}
	out.WriteString("\n")
	for i, row := range append([][]string{t.Columns}, t.Rows...) {
		for _, cell := range row {
			out.WriteString("| " + markdown(cell) + " ")
		}
		out.WriteString("|\n")
		if i == 0 {
			out.WriteString("|---" + strings.Repeat("|--:", len(row)-1) + "|\n")
		}
	}
	if t.Note != "" {
		fmt.Fprintf(out, "\n%s\n", markdown(t.Note))
	}
}

// markdown keeps text from being more than text.
func markdown(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case !unicode.IsPrint(r):
			out.WriteByte(' ')
		case r == '<':
			out.WriteString("&lt;")
		case r == '&':
			out.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]|#@!~>", r):
			out.WriteByte('\\')
			out.WriteRune(r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}
