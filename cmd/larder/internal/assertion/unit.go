package assertion

import (
	"fmt"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// kind is what a unit measures.
type kind string

const (
	plain    kind = "a plain number such as 3 or 5k"
	duration kind = "a duration such as 2ms"
	share    kind = "a share such as 95%"
	size     kind = "a size such as 1MiB"
	rate     kind = "a rate such as 5M/s"
)

// unit is one that a quantity may have.
type unit struct {
	kind
	scale float64 // of the unit of results
}

var units = map[string]unit{
	"": {plain, 1}, "k": {plain, 1e3}, "M": {plain, 1e6}, "G": {plain, 1e9},
	"%":  {share, 0.01},
	"ns": {duration, 1}, "us": {duration, 1e3}, "µs": {duration, 1e3}, "μs": {duration, 1e3}, // micro sign and mu
	"ms": {duration, 1e6}, "s": {duration, 1e9}, "m": {duration, 60e9}, "h": {duration, 3600e9},
	"B": {size, 1}, "kB": {size, 1e3}, "MB": {size, 1e6}, "GB": {size, 1e9}, "TB": {size, 1e12},
	"KiB": {size, 1 << 10}, "MiB": {size, 1 << 20}, "GiB": {size, 1 << 30}, "TiB": {size, 1 << 40},
	"/s": {rate, 1}, "k/s": {rate, 1e3}, "M/s": {rate, 1e6}, "G/s": {rate, 1e9},
}

// unitNames lists the units for a message.
const unitNames = "ns, us, ms, s, m, h; %; B, kB, MB, GB, TB, KiB, MiB, GiB, TiB; /s, k/s, M/s, G/s; k, M, G"

// kinds says in what figures of each unit are written.
var kinds = map[results.Unit]kind{
	results.Nanoseconds: duration, results.Seconds: duration, results.PerSecond: rate,
	results.Ratio: share, results.Bytes: size, results.Count: plain,
}

// in returns the quantity as a figure of a metric. A ratio may be written as a plain
// number, and zero of all units as 0.
func (q Quantity) in(u results.Unit) (float64, error) {
	is := units[q.Unit]
	x := q.Number * is.scale
	if is.kind == share {
		x = q.Number / 100 // 95/100 is 0.95, 95*0.01 is not
	}
	want, known := kinds[u]
	switch {
	case q.Unit == "" && (q.Number == 0 || u == results.Ratio || !known):
	case is.kind != want:
		return 0, fmt.Errorf("it is counted in %s: compare it with %s", name(u), want)
	case u == results.Seconds:
		x /= 1e9
	}
	return x, nil
}

func name(u results.Unit) string {
	switch u {
	case results.Count:
		return "pieces"
	case results.Ratio:
		return "parts of 1"
	case results.Bytes:
		return "bytes"
	case results.PerSecond:
		return "operations a second"
	case results.Nanoseconds:
		return "nanoseconds"
	case results.Seconds:
		return "seconds"
	}
	return string(u)
}
