package draw

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// largest bounds what is drawn, so that the differences of two values are finite.
const largest = 1e300

// place is where a value lies on a scale, NaN if it has no place.
func place(s results.Scale, v float64) float64 {
	if math.Abs(v) > largest {
		return math.NaN()
	}
	switch {
	case s == results.Log && v > 0:
		return math.Log10(v)
	case s == results.Nines && v < 1:
		return -math.Log10(1 - max(v, 0))
	case s == results.Log, s == results.Nines:
		return math.NaN()
	}
	return v
}

// tick is a mark on an axis.
type tick struct {
	at    float64 // a place
	label string
}

// axis is the part of a scale that is shown.
type axis struct {
	results.Axis
	from, to float64 // places
	any      bool    // a value was seen
}

// see makes room for a value.
func (a *axis) see(v float64) {
	p := place(a.Scale, v)
	switch {
	case math.IsNaN(p):
	case !a.any:
		a.from, a.to, a.any = p, p, true
	default:
		a.from, a.to = min(a.from, p), max(a.to, p)
	}
}

// round leaves room around the values. Those of a y axis begin at zero, unless they are
// high above it.
func (a *axis) round(vertical bool) {
	if !a.any {
		a.to = 1
	}
	if vertical && a.Scale == results.Log {
		a.from, a.to = math.Floor(a.from+0.001), math.Ceil(a.to-0.001)
	}
	if vertical && a.Scale != results.Log {
		if a.from > 0 && (a.Unit != results.Ratio || a.from < 0.8*a.to) {
			a.from = 0
		}
		a.to += 0.06 * (a.to - a.from)
		if a.from < 0 {
			a.from -= 0.06 * (a.to - a.from)
		}
		if a.Unit == results.Ratio && a.to > 1 && a.to < 1.07 {
			a.to = 1
		}
	}
	if a.to-a.from < 1e-9*max(math.Abs(a.to), 1e-280) {
		pad := max(math.Abs(a.to)/2, 1e-3)
		if a.Scale == results.Log {
			pad = 0.5
		}
		a.from, a.to = a.from-pad, a.to+pad
	}
}

// share is the part of the axis below a value, NaN if it has no place.
func (a *axis) share(v float64) float64 { return (place(a.Scale, v) - a.from) / (a.to - a.from) }

// ticks returns at most about n marks.
func (a *axis) ticks(n int) (all []tick) {
	switch a.Scale {
	case results.Log:
		all = a.logTicks(n)
	case results.Nines:
		for i := 0; i <= 12; i++ {
			label := "0%"
			if i > 0 {
				label = strconv.FormatFloat(100*(1-math.Pow10(-i)), 'f', max(i-2, 0), 64) + "%"
			}
			all = append(all, tick{float64(i), label})
		}
	}
	all = slices.DeleteFunc(all, func(t tick) bool { return t.at < a.from-1e-9 || t.at > a.to+1e-9 })
	if len(all) < 2 && a.Scale != results.Log || a.Scale == results.Linear || a.Scale == "" {
		all = a.linearTicks(n)
	}
	// Values closer than their digits would show the same label twice.
	return slices.CompactFunc(all, func(s, t tick) bool { return s.label == t.label })
}

func (a *axis) linearTicks(n int) (all []tick) {
	rough := (a.to - a.from) / float64(max(n, 2))
	step := math.Pow10(int(math.Floor(math.Log10(rough))))
	for _, times := range []float64{1, 2, 5, 10} {
		if step*times >= rough*0.999 {
			step *= times
			break
		}
	}
	first := math.Ceil(a.from/step - 1e-9)
	for i := range 2*n + 5 {
		at := (first + float64(i)) * step
		if at > a.to+step*1e-9 || !(step > 0) {
			break
		}
		v := at
		if a.Scale == results.Nines {
			v = 1 - math.Pow(10, -at)
		}
		all = append(all, tick{at, Label(a.Unit, v, step)})
	}
	return all
}

func (a *axis) logTicks(n int) (all []tick) {
	decades := a.to - a.from
	every := max(1, int(math.Ceil(decades/float64(max(n, 2)))))
	for d := int(math.Ceil(a.from - 1e-9)); float64(d) <= a.to+1e-9; d += every {
		all = append(all, tick{float64(d), Label(a.Unit, math.Pow10(d), 0)})
	}
	if decades > 2.5 {
		return all
	}
	// Few powers of ten are no scale: 2 and 5 times them help.
	for d := math.Floor(a.from); d <= a.to; d++ {
		for _, times := range []float64{2, 5} {
			all = append(all, tick{d + math.Log10(times), Label(a.Unit, times*math.Pow(10, d), 0)})
		}
	}
	slices.SortFunc(all, func(s, t tick) int { return int(math.Copysign(1, s.at-t.at)) })
	return all
}

// Label writes a value at a tick, with the digits that steps of that size need.
func Label(u results.Unit, v, step float64) string {
	if math.Abs(v) < step/1e6 {
		v = 0
	}
	switch {
	case u == results.Ratio:
		digits := 0
		if step > 0 {
			digits = min(max(int(math.Ceil(-math.Log10(step)-2-1e-9)), 0), 6)
		} else if v < 0.01 {
			digits = min(max(int(math.Ceil(-math.Log10(v)-2-1e-9)), 0), 6)
		}
		return strconv.FormatFloat(100*v, 'f', digits, 64) + "%"
	case v == 0 && (u == results.Nanoseconds || u == results.Seconds):
		return "0"
	}
	s := u.Format(v)
	number, unit, spaced := strings.Cut(s, " ")
	if !spaced && strings.HasSuffix(s, "/s") {
		number, unit = strings.TrimSuffix(s, "/s"), "/s"
	}
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	if spaced {
		number += " "
	}
	return number + unit
}
