package results

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Unit is what a figure is counted in.
type Unit string

// The units.
const (
	Nanoseconds Unit = "ns"
	PerSecond   Unit = "/s"
	Ratio       Unit = "ratio" // of 1, shown as per cent
	Bytes       Unit = "B"
	Count       Unit = "1"
	Seconds     Unit = "s" // of the x axis of a timeline
)

// Duration is a time.Duration that is nanoseconds in JSON.
type Duration = time.Duration

// Format writes a figure for people, with three digits.
func (u Unit) Format(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	switch u {
	case Nanoseconds:
		return Brief(nanoseconds(x))
	case PerSecond:
		return Amount(x) + "/s"
	case Ratio:
		if math.Abs(x) >= 1e6 {
			return fmt.Sprintf("%.3g%%", 100*x)
		}
		return fmt.Sprintf("%.1f%%", 100*x)
	case Bytes:
		for _, unit := range []string{"B", "kB", "MB", "GB"} {
			if math.Abs(x) < 999.5 || unit == "GB" {
				if unit == "B" {
					return fmt.Sprintf("%.0f B", x)
				}
				if math.Abs(x) >= 1e6 {
					return Amount(x) + " " + unit
				}
				return digits(x) + " " + unit
			}
			x /= 1000
		}
	case Seconds:
		return Brief(nanoseconds(x * float64(time.Second)))
	}
	return Amount(x)
}

// nanoseconds is a duration, the longest that there is if it would be longer.
func nanoseconds(x float64) time.Duration {
	const most = math.MaxInt64
	switch x = math.Round(x); {
	case x >= most:
		return most
	case x <= -most:
		return -most
	}
	return time.Duration(x)
}

// Brief writes a duration with three digits, "-" for none.
func Brief(d time.Duration) string {
	switch {
	case d == 0:
		return "-"
	case d < 0:
		return "-" + Brief(max(-d, -(d+1))) // the least has no opposite
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d)
	case d < time.Millisecond:
		return digits(float64(d)/1e3) + " µs"
	case d < time.Second:
		return digits(float64(d)/1e6) + " ms"
	}
	return digits(d.Seconds()) + " s"
}

// Amount writes a number with three digits if it is small, and as a whole number in
// groups of three digits otherwise; from 1e15 on with an exponent.
func Amount(x float64) string {
	if math.Abs(x) < 99.95 && x != math.Trunc(x) {
		return digits(x)
	}
	if !(math.Abs(x) < 1e15) {
		return fmt.Sprintf("%.3g", x)
	}
	s := fmt.Sprintf("%.0f", x)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

func digits(x float64) string {
	switch abs := math.Abs(x); {
	case abs < 9.995:
		return fmt.Sprintf("%.2f", x)
	case abs < 99.95:
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
