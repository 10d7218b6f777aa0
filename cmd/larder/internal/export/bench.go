package export

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// benchUnits are the units as benchstat names them, which turns ns into seconds.
var benchUnits = map[results.Unit]string{
	results.Nanoseconds: "ns/op", results.PerSecond: "ops/s", results.Ratio: "ratio", results.Bytes: "B", results.Count: "count", results.Seconds: "sec",
}

// Bench returns the metrics in the format of Go benchmarks, one line for each
// repetition, so that benchstat compares two files and knows what is better.
// "aside.get.p99@workers=4" becomes "BenchmarkAside/op=get/of=p99/workers=4". See
// https://go.dev/design/14313-benchmark-format.
func Bench(d *results.Document) []byte {
	var out bytes.Buffer
	e := d.Environment
	for _, line := range [][2]string{{"goos", e.OS}, {"goarch", e.Arch}, {"cpu", e.CPU}, {"pkg", "larder"}, {"server", d.Server.String()}, {"larder", d.Version}} {
		if line[1] != "" {
			fmt.Fprintf(&out, "%s: %s\n", line[0], oneLine(line[1]))
		}
	}
	fmt.Fprintf(&out, "Unit ns/op better=lower\nUnit ops/s better=higher\n\n")
	for _, s := range d.Sections {
		for _, m := range s.Metrics {
			unit, ok := benchUnits[m.Unit]
			if !ok {
				unit = "value"
			}
			// Whether more of these is better depends on what they are of.
			if m.Better != "" && unit != "ns/op" && unit != "ops/s" {
				unit += "-" + string(better(m.Better))
			}
			for _, v := range m.Samples {
				fmt.Fprintf(&out, "%s 1 %s %s\n", benchName(m.Name), number(v), unit)
			}
		}
	}
	return out.Bytes()
}

// better is one of the two directions, whatever a document says.
func better(d results.Direction) results.Direction {
	if d == results.Higher {
		return results.Higher
	}
	return results.Lower
}

func benchName(metric string) string {
	name, point, swept := strings.Cut(metric, "@")
	parts := strings.Split(name, ".")
	out := "Benchmark" + strings.ToUpper(parts[0][:1]) + parts[0][1:]
	for i, part := range parts[1:] {
		switch {
		case i == len(parts)-2:
			out += "/of=" + part
		case i == 0:
			out += "/op=" + part
		default:
			out += "/" + part
		}
	}
	if swept {
		out += "/" + point
	}
	return out
}

func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}
