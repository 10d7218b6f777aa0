package synthetic

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Spread is how a figure differs from object to object: not at all, evenly between
// two bounds, or by a lognormal distribution. The zero Spread is none: there is no
// figure.
type Spread struct {
	low, high float64 // the bounds; the same if nothing differs
	mu, sigma float64 // of the logarithms, if sigma is not 0
	text      string
}

// SpreadSyntax says what ParseSizes and ParseTTLs read.
const SpreadSyntax = "N, LOW-HIGH, or lognormal:MEDIAN:P99"

// The bounds of what a Spread can be.
const (
	maxSize = math.MaxUint32
	maxTTL  = 10 * 365 * 24 * time.Hour
)

// normal99 is the 99th percentile of the standard normal distribution.
const normal99 = 2.3263478740408408

// ParseSizes reads a spread of sizes in bytes: "1000", "100-5000", or
// "lognormal:500:20000".
func ParseSizes(text string) (Spread, error) {
	return parseSpread(text, func(word string) (float64, error) {
		n, err := strconv.ParseUint(word, 10, 32)
		if err != nil || n == 0 {
			return 0, fmt.Errorf("%q is not a number of bytes from 1 to %d", word, uint32(maxSize))
		}
		return float64(n), nil
	})
}

// ParseTTLs reads a spread of TTLs: "60s", "1m-2h", or "lognormal:10m:24h".
func ParseTTLs(text string) (Spread, error) {
	return parseSpread(text, func(word string) (float64, error) {
		d, err := time.ParseDuration(word)
		if err != nil || d < time.Second || d > maxTTL {
			return 0, fmt.Errorf("%q is not a duration from 1s to %s, such as 90s or 24h", word, maxTTL)
		}
		return d.Seconds(), nil
	})
}

func parseSpread(text string, number func(string) (float64, error)) (Spread, error) {
	text = strings.TrimSpace(text)
	s := Spread{text: text}
	var words []string
	rest, lognormal := strings.CutPrefix(text, "lognormal:")
	if lognormal {
		words = strings.Split(rest, ":")
		if len(words) != 2 {
			return Spread{}, fmt.Errorf("%q is not lognormal:MEDIAN:P99", text)
		}
	} else if words = strings.Split(text, "-"); len(words) > 2 {
		return Spread{}, fmt.Errorf("%q is not %s", text, SpreadSyntax)
	}
	var err error
	if s.low, err = number(words[0]); err != nil {
		return Spread{}, err
	}
	if s.high, err = number(words[len(words)-1]); err != nil {
		return Spread{}, err
	}
	if s.low > s.high {
		return Spread{}, fmt.Errorf("%q falls: the second must not be less than the first", text)
	}
	if lognormal {
		s.mu, s.sigma = math.Log(s.low), (math.Log(s.high)-math.Log(s.low))/normal99
	}
	return s, nil
}

// String returns the spread as it was read, "" for none.
func (s Spread) String() string { return s.text }

// draw returns a figure, 1 at least, or 0 for none.
func (s Spread) draw(rng *rand.Rand) uint32 {
	x := s.low
	switch {
	case s.sigma > 0:
		x = math.Exp(s.mu + s.sigma*rng.NormFloat64())
	case s.high > s.low:
		x += rng.Float64() * (s.high - s.low + 1)
		x = min(math.Floor(x), s.high)
	case s.high == 0:
		return 0
	}
	return uint32(min(max(math.Round(x), 1), math.MaxUint32))
}
