package workload

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Dist is a distribution of numbers of 0 and more, such as the sizes of values or how
// long they live. The zero Dist is always 0.
type Dist struct {
	text     string
	quantile func(u float64) float64
}

// Fixed returns the Dist of one number.
func Fixed(x float64, text string) Dist {
	return Dist{text, func(float64) float64 { return x }}
}

// At returns the number below which a share u of all numbers lies, for u from 0 to 1: who
// asks with a u drawn at random gets a number drawn from the distribution.
func (d Dist) At(u float64) float64 {
	if d.quantile == nil {
		return 0
	}
	return d.quantile(min(max(u, 0), 1-1e-12))
}

// Of returns the number of an id, always the same.
func (d Dist) Of(id uint32) float64 {
	// Two rounds of a multiplicative hash: neighbours get numbers that have nothing to do
	// with each other.
	h := (uint64(id) + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return d.At(float64((h^h>>31)>>11) / (1 << 53))
}

// Most returns the highest number there is, or close to it: of a lognormal distribution
// one in a million is higher.
func (d Dist) Most() float64 { return d.At(1 - 1e-6) }

// String returns the distribution as it was written.
func (d Dist) String() string {
	if d.text == "" {
		return "0"
	}
	return d.text
}

// MarshalText writes the distribution as String does.
func (d Dist) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// distForms is what ParseDist reads, for messages.
const distForms = "a number, uniform:FROM:TO, lognormal:P50:P99, or parts such as 100=90,1k=10"

// ParseSizes reads a distribution of bytes, whose numbers may end in k or M: "256",
// "uniform:100:1k", "lognormal:256:4k" by its median and its p99, or by weights
// "100=50,1k=40,10k=10".
func ParseSizes(text string) (Dist, error) { return parseDist(text, parseSize) }

// ParseTimes reads a distribution of durations in the same forms; its numbers are
// nanoseconds.
func ParseTimes(text string) (Dist, error) {
	return parseDist(text, func(s string) (float64, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, fmt.Errorf("%q is no duration such as 500ms or 10m", s)
		}
		return float64(d), nil
	})
}

func parseSize(s string) (float64, error) {
	number, unit := s, 1.0
	for suffix, factor := range map[string]float64{"k": 1e3, "M": 1e6} {
		if n, ok := strings.CutSuffix(s, suffix); ok {
			number, unit = n, factor
		}
	}
	x, err := strconv.ParseFloat(number, 64)
	if x *= unit; err != nil || !(x >= 0 && x <= 1e9) || x != math.Trunc(x) {
		return 0, fmt.Errorf("%q is no number of bytes such as 256, 10k or 1M", s)
	}
	return x, nil
}

func parseDist(text string, number func(string) (float64, error)) (Dist, error) {
	kind, rest, _ := strings.Cut(text, ":")
	switch {
	case kind == "uniform" || kind == "lognormal":
		a, b, ok := strings.Cut(rest, ":")
		if !ok {
			return Dist{}, fmt.Errorf("%q needs two numbers: %s", text, distForms)
		}
		from, err := number(a)
		if err != nil {
			return Dist{}, err
		}
		to, err := number(b)
		switch {
		case err != nil:
			return Dist{}, err
		case to < from || kind == "lognormal" && from == 0:
			return Dist{}, fmt.Errorf("%q does not rise from more than nothing: %s", text, distForms)
		case kind == "uniform":
			return Dist{text, func(u float64) float64 { return from + u*(to-from) }}, nil
		}
		// The p99 lies z99 standard deviations of the logarithm above the median.
		sigma := math.Log(to/from) / normal(0.99)
		return Dist{text, func(u float64) float64 { return from * math.Exp(sigma*normal(u)) }}, nil
	case strings.Contains(text, "="):
		return parseWeighted(text, number)
	}
	x, err := number(text)
	if err != nil {
		return Dist{}, fmt.Errorf("%w: use %s", err, distForms)
	}
	return Fixed(x, text), nil
}

// normal is the quantile function of the standard normal distribution.
func normal(u float64) float64 { return math.Sqrt2 * math.Erfinv(2*max(u, 1e-12)-1) }

func parseWeighted(text string, number func(string) (float64, error)) (Dist, error) {
	type part struct{ upTo, value float64 }
	var parts []part
	sum := 0.0
	for p := range strings.SplitSeq(text, ",") {
		v, w, _ := strings.Cut(strings.TrimSpace(p), "=")
		value, err := number(v)
		if err != nil {
			return Dist{}, err
		}
		weight, err := strconv.ParseFloat(w, 64)
		if err != nil || !(weight >= 0 && weight <= 1e9) {
			return Dist{}, fmt.Errorf("the weight of %s is %q and not a number from 0 on", v, w)
		}
		sum += weight
		parts = append(parts, part{sum, value})
	}
	if sum == 0 {
		return Dist{}, fmt.Errorf("the weights of %q are all 0", text)
	}
	return Dist{text, func(u float64) float64 {
		for _, p := range parts {
			if u*sum < p.upTo {
				return p.value
			}
		}
		return parts[len(parts)-1].value
	}}, nil
}
