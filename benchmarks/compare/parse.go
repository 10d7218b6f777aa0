package main

import (
	"bufio"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// key says what was measured: a row of a suite, for a library, on a number of
// processors. The suite is the last part of the package's path.
type key struct {
	suite, row, lib string
	procs           int
}

// at returns the key of another library in the same row.
func (k key) at(lib string) key { k.lib = lib; return k }

// results are the measured values.
type results struct {
	config map[string]string // the header
	order  []key             // as they came first
	rounds []map[key]values
}

// values are those of one benchmark, by unit.
type values map[string]float64

var (
	resultLine = regexp.MustCompile(`^Benchmark\S+\s+\d+\s+\S`)
	configLine = regexp.MustCompile(`^([a-z][a-z-]*):\s*(.*)$`)
	roundLine  = regexp.MustCompile(`^# round \d+$`)
	procsEnd   = regexp.MustCompile(`-(\d+)$`)
)

// parse reads what measure has written. A benchmark that is there twice in one
// round is an error.
func parse(r io.Reader) (*results, error) {
	all := &results{config: map[string]string{}}
	suite := ""
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		switch m := configLine.FindStringSubmatch(line); {
		case roundLine.MatchString(line):
			all.rounds = append(all.rounds, map[key]values{})
		case m != nil && m[1] == "pkg":
			suite = path.Base(m[2])
		case m != nil:
			if _, known := all.config[m[1]]; !known {
				all.config[m[1]] = m[2]
			}
		case strings.HasPrefix(line, "Benchmark"):
			if len(all.rounds) == 0 {
				return nil, fmt.Errorf("line %d: a result before the first round", n)
			}
			k, v, err := parseResult(line)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
			k.suite = suite
			if err := all.add(k, v); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	return all, lines.Err()
}

func (all *results) add(k key, v values) error {
	known := false
	for i, round := range all.rounds {
		if _, ok := round[k]; ok {
			if known = true; i == len(all.rounds)-1 {
				return fmt.Errorf("%v is there twice in one round", k)
			}
		}
	}
	if !known {
		all.order = append(all.order, k)
	}
	all.rounds[len(all.rounds)-1][k] = v
	return nil
}

// parseResult takes a line such as
//
//	BenchmarkGet/tags=3/lib=larder-2  100  123 ns/op  7 allocs/op
//
// apart. Without a number at its end, the name is of one processor.
func parseResult(line string) (k key, v values, err error) {
	fields := strings.Fields(line)
	if len(fields) < 4 || len(fields)%2 != 0 {
		return k, nil, fmt.Errorf("%q is not the result of a benchmark", line)
	}
	name := strings.TrimPrefix(fields[0], "Benchmark")
	k.procs = 1
	if m := procsEnd.FindStringSubmatch(name); m != nil {
		if k.procs, err = strconv.Atoi(m[1]); err != nil {
			return k, nil, err
		}
		name = strings.TrimSuffix(name, m[0])
	}
	var row []string
	for part := range strings.SplitSeq(name, "/") {
		if lib, ok := strings.CutPrefix(part, "lib="); ok {
			k.lib = lib
		} else {
			row = append(row, part)
		}
	}
	k.row = strings.Join(row, "/")
	v = values{}
	for i := 2; i < len(fields); i += 2 {
		if v[fields[i+1]], err = strconv.ParseFloat(fields[i], 64); err != nil {
			return k, nil, fmt.Errorf("%q: %w", line, err)
		}
	}
	return k, v, nil
}
