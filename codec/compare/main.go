// Command compare measures codecs and compressors beside each other, on the same
// values and in turns, so that what else the machine does falls on all of them. It
// writes a table in Markdown, or puts it between the marks of a file.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/codec/cbor"
	"github.com/larder-cache/larder/codec/compress"
)

const (
	begin = "<!-- compare:begin -->\n"
	end   = "<!-- compare:end -->\n"
)

func main() {
	into := flag.String("into", "", "put the tables between the marks of this `file`")
	rounds := flag.Int("rounds", 40, "how often each is measured; the fastest counts")
	flag.Parse()
	if err := run(*into, *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(into string, rounds int) error {
	if into != "" { // before what takes time
		if _, err := insert(into, ""); err != nil {
			return err
		}
	}
	report, err := tables(rounds)
	if err != nil {
		return err
	}
	if into == "" {
		_, err = fmt.Print(report)
		return err
	}
	text, err := insert(into, report)
	if err != nil {
		return err
	}
	return os.WriteFile(into, []byte(text), 0o644)
}

// insert returns the text of a file with report between its marks.
func insert(file, report string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, ok1 := strings.Cut(rest, end)
	if !ok || !ok1 {
		return "", fmt.Errorf("%s has no marks %q and %q", file, begin, end)
	}
	return before + begin + report + end + after, nil
}

func tables(rounds int) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Made by `make codecs` on %s, %s, %s/%s, GOMAXPROCS %d, %s. Times are ratios in one run, the fastest of %d rounds each.\n",
		time.Now().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), processor(), rounds)
	if err := table(&b, "One user", person(1), rounds); err != nil {
		return "", err
	}
	err := table(&b, "A list of 50 users", people(50), rounds)
	return b.String(), err
}

func table[V any](b *strings.Builder, title string, v V, rounds int) error {
	var list []*subject[V]
	for _, c := range []struct {
		name  string
		codec cache.Codec[V]
	}{{"JSON", cache.JSON[V]()}, {"CBOR", cbor.New[V]()}} {
		for _, p := range []struct {
			name       string
			compressor cache.Compressor
		}{{"", nil}, {" and S2", compress.S2(0)}, {" and Zstandard", compress.Zstd(0)}} {
			list = append(list, &subject[V]{name: c.name + p.name, codec: c.codec, compressor: p.compressor})
		}
	}
	for _, s := range list {
		if err := s.prepare(v); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	for range rounds {
		for _, s := range list {
			s.measure(v)
		}
	}
	j := list[0]
	fmt.Fprintf(b, "\n%s: %s of JSON, written in %s and read in %s.\n\n", title, bytesOf(len(j.data)), round(j.write), round(j.read))
	fmt.Fprintln(b, "| | size | size, JSON = 1 | time to write, JSON = 1 | time to read, JSON = 1 | allocations to write | to read |")
	fmt.Fprintln(b, "|---|---|---|---|---|---|---|")
	for _, s := range list {
		fmt.Fprintf(b, "| %s | %s | %.2f | %.2f | %.2f | %.0f | %.0f |\n", s.name, bytesOf(len(s.data)),
			ratio(len(s.data), len(j.data)), ratio(s.write, j.write), ratio(s.read, j.read), s.writeAllocs, s.readAllocs)
	}
	return nil
}

func ratio[N int | time.Duration](n, of N) float64 { return float64(n) / float64(of) }

func bytesOf(n int) string { return fmt.Sprintf("%d bytes", n) }

// round leaves three digits.
func round(d time.Duration) time.Duration {
	unit := time.Duration(1)
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit)
}

// processor returns the model of the processor, if the system says it.
func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(data)) {
		if name, model, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(model)
		}
	}
	return "an unknown processor"
}
