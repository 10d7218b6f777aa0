package workload

import (
	"fmt"
	"strings"
)

// Named is a workload that people know by name.
type Named struct {
	Name       string
	Short      string
	Popularity Popularity
	Mix        Mix
}

// YCSB returns the workloads A to F of the Yahoo! Cloud Serving Benchmark (Cooper et al.,
// SoCC 2010): their mixes and popularities. Their keys, values and counts are left to who
// runs them.
func YCSB() []Named {
	zipf, latest := Popularity{Shape: Zipfian, Skew: customarySkew}, Popularity{Shape: Latest, Skew: customarySkew}
	return []Named{
		{"ycsb-a", "half reads, half updates: sessions", zipf, Mix{Get: 50, Write: 50}},
		{"ycsb-b", "95 % reads, 5 % updates: photo tags", zipf, Mix{Get: 95, Write: 5}},
		{"ycsb-c", "reads only: profiles that are made elsewhere", zipf, Mix{Get: 100}},
		{"ycsb-d", "95 % reads of what is new, 5 % inserts: status updates", latest, Mix{Get: 95, Insert: 5}},
		{"ycsb-e", "95 % scans of up to 100 rows, 5 % inserts: threads", zipf, Mix{Scan: 95, Insert: 5}},
		{"ycsb-f", "half reads, half reads that are followed by an update: records of users", zipf, Mix{Get: 50, ReadWrite: 50}},
	}
}

// ParseNamed reads the name of a workload of YCSB, or a popularity, in which case the mix
// is not known.
func ParseNamed(text string) (Named, error) {
	for _, n := range YCSB() {
		if n.Name == text {
			return n, nil
		}
	}
	p, err := ParsePopularity(text)
	if err != nil && !strings.ContainsAny(text, ":+") {
		return Named{}, fmt.Errorf("%q is none of ycsb-a to ycsb-f, %s", text, PopularitySyntax)
	}
	return Named{Popularity: p}, err
}
