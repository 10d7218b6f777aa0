package workload

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Profile says how the rate of operations changes over a run, in multiples of the rate
// that is given. The zero Profile keeps it.
type Profile struct {
	text  string
	parts []stretch // of equal lengths
}

// stretch is a part in which the rate goes evenly from one multiple to another.
type stretch struct{ from, to float64 }

func (p stretch) area() float64 { return (p.from + p.to) / 2 }

// Flat is the name of the Profile that keeps the rate.
const Flat = "flat"

// profileForms is what ParseProfile reads, for messages.
const profileForms = `flat, ramp:FROM:TO, or step:A,B,C in multiples of the rate, such as ramp:0.2:1.5`

// maxMultiple bounds the multiples of a Profile.
const maxMultiple = 1000

// ParseProfile reads "flat", "ramp:0.2:1.5", which rises or falls evenly, or
// "step:0.5,1,1.5", whose steps are equally long.
func ParseProfile(text string) (Profile, error) {
	kind, rest, _ := strings.Cut(text, ":")
	var separator string
	switch {
	case text == Flat:
		return Profile{}, nil
	case kind == "ramp":
		separator = ":"
	case kind == "step":
		separator = ","
	default:
		return Profile{}, fmt.Errorf("%q is not %s", text, profileForms)
	}
	var at []float64
	for m := range strings.SplitSeq(rest, separator) {
		x, err := strconv.ParseFloat(strings.TrimSpace(m), 64)
		if err != nil || !(x >= 0 && x <= maxMultiple) {
			return Profile{}, fmt.Errorf("%q is no multiple from 0 to %d in %q: use %s", m, maxMultiple, text, profileForms)
		}
		at = append(at, x)
	}
	s := Profile{text: text}
	if kind == "step" {
		for _, x := range at {
			s.parts = append(s.parts, stretch{x, x})
		}
	} else if len(at) == 2 {
		s.parts = []stretch{{at[0], at[1]}}
	}
	if len(s.parts) == 0 || s.Mean() == 0 {
		return Profile{}, fmt.Errorf("%q asks for nothing: use %s", text, profileForms)
	}
	return s, nil
}

// String returns the profile as ParseProfile reads it.
func (s Profile) String() string {
	if s.text == "" {
		return Flat
	}
	return s.text
}

// MarshalText writes the profile as String does.
func (s Profile) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Mean returns the multiple of the rate over all of a run.
func (s Profile) Mean() float64 {
	if len(s.parts) == 0 {
		return 1
	}
	sum := 0.0
	for _, p := range s.parts {
		sum += p.area()
	}
	return sum / float64(len(s.parts))
}

// when returns the part of the run, from 0 to 1, after which a share of its operations,
// from 0 to 1, is due.
func (s Profile) when(share float64) float64 {
	if len(s.parts) == 0 {
		return share
	}
	n := float64(len(s.parts))
	left := share * s.Mean() * n // in areas of parts
	for i, p := range s.parts {
		area := p.area()
		if left > area && i < len(s.parts)-1 {
			left -= area
			continue
		}
		// from·x + (to-from)·x²/2 = left, in the form that has no cancellation.
		root := math.Sqrt(max(p.from*p.from+2*(p.to-p.from)*left, 0))
		x := 0.0
		if d := p.from + root; d > 0 {
			x = 2 * left / d
		}
		return (float64(i) + min(x, 1)) / n
	}
	return 1
}
