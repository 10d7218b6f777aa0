package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// none stands for what was not measured.
const none = "–"

// times shows a ratio, with its spread; that of a thing to itself is 1.
func times(f figure) string {
	if f.rounds == 0 {
		return none
	}
	if f.rounds == 1 || f.least == f.most && f.median == 1 {
		return digits(f.median)
	}
	return fmt.Sprintf("%s ±%.0f%%", digits(f.median), 100*f.spread())
}

// plain shows a median alone.
func plain(f figure) string {
	if f.rounds == 0 {
		return none
	}
	return digits(f.median)
}

// digits shows three of a number, and a zero as such.
func digits(x float64) string {
	switch size := math.Abs(x); {
	case x == math.Trunc(x) && size < 1e6:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// measured shows a figure of a unit.
func measured(f figure, unit string) string {
	if f.rounds == 0 {
		return none
	}
	if strings.HasSuffix(unit, "-ns") {
		return digits(f.median/1e6) + " ms"
	}
	return digits(f.median)
}

// label shows a row.
func label(k key) string {
	row := strings.NewReplacer("/", ", ", "call=", "").Replace(k.row)
	return row + on(k.procs)
}

// table writes a table in Markdown.
type table struct{ strings.Builder }

func (t *table) head(cells ...string) {
	t.line(cells...)
	for range cells {
		t.WriteString("|---")
	}
	t.WriteString("|\n")
}

func (t *table) line(cells ...string) {
	fmt.Fprintf(t, "| %s |\n", strings.Join(cells, " | "))
}
