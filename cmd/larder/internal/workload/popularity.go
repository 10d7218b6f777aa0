package workload

import (
	"fmt"
	"strconv"
	"strings"
)

// Shape is a kind of popularity.
type Shape uint8

// The shapes. All but Latest and Loop scatter the popular keys over all of them, so that
// they do not lie side by side.
const (
	// Uniform: every key is as likely as any other.
	Uniform Shape = iota
	// Zipfian: the key at rank k, from 1, has a weight of 1/k^Skew.
	Zipfian
	// Hotspot: HotKeys per cent of the keys, one at least, have HotRequests per cent of
	// the requests, each of them as likely as any other; the others have what is left.
	Hotspot
	// Latest: the newest key is the most popular, and the key that is k keys older has a
	// weight of 1/(k+1)^Skew (workload D of YCSB). Each request at a multiple of Every is
	// that of a new key; see KeySource.Insert.
	Latest
	// Loop: all keys in turn, again and again.
	Loop
	// Shift: Zipfian, but after so many requests as Every says other keys are the
	// popular ones.
	Shift
	// Exponential: the key at rank k has a weight of exp(-k/m), where m is Spread per
	// cent of the number of keys.
	Exponential
	// Gaussian: a normal distribution whose deviation is Spread per cent of the number
	// of keys, cut off where the keys end, which are as many on both sides.
	Gaussian
)

// Popularity says which keys are asked for, and how often. It is plain data; the zero
// Popularity is uniform.
type Popularity struct {
	Shape Shape
	// Skew is the exponent of Zipfian, Latest and Shift.
	Skew float64
	// HotKeys and HotRequests are the parts of Hotspot in per cent.
	HotKeys, HotRequests float64
	// Every is the number of requests between two changes: of the popular keys in Shift,
	// of the newest key in Latest. In Latest, 0 is never.
	Every int
	// Spread is how wide Exponential and Gaussian are, in per cent of all keys.
	Spread float64
	// OneHit is the part of the requests, from 0 to 1, that go to keys which are never
	// asked for again. These are beyond the others: the first is the number of keys, the
	// next one more, and so on.
	OneHit float64
}

// The parts of a popularity that need not be named.
const (
	customarySkew   = 0.99 // that of YCSB
	customaryInsert = 20   // a new key in 5 % of the requests, as in workload D of YCSB
	customarySpread = 10   // per cent of the keys
	customaryShift  = 10_000
)

const (
	maxSkew  = 100
	maxEvery = 1_000_000_000
)

// PopularityForms are what ParsePopularity reads. The last can be added to the others by
// a "+".
var PopularityForms = []string{
	"zipf:SKEW", "uniform", "hotspot:PERCENT:PERCENT", "latest:SKEW:EVERY", "loop", "shift:SKEW:EVERY",
	"exponential:PERCENT", "gaussian:PERCENT", "onehit:SHARE",
}

// PopularitySyntax says what ParsePopularity reads, for messages.
var PopularitySyntax = strings.Join(PopularityForms, ", ") + "; also zipf:SKEW+onehit:SHARE"

// shapes are the names of the shapes and the parts that follow them, all of which have
// a customary value.
var shapes = []struct {
	name  string
	parts []part
}{
	Uniform:     {"uniform", nil},
	Zipfian:     {"zipf", []part{skew}},
	Hotspot:     {"hotspot", []part{percent("keys", 20, hotKeys), percent("requests", 80, hotRequests)}},
	Latest:      {"latest", []part{skew, {"requests between two new keys", customaryInsert, 0, maxEvery, true, every}}},
	Loop:        {"loop", nil},
	Shift:       {"shift", []part{skew, {"requests between two shifts", customaryShift, 1, maxEvery, true, every}}},
	Exponential: {"exponential", []part{percent("keys", customarySpread, spread)}},
	Gaussian:    {"gaussian", []part{percent("keys", customarySpread, spread)}},
}

// part is a number in the text of a popularity.
type part struct {
	name        string
	customary   float64
	least, most float64
	whole       bool
	field       func(*Popularity) any
}

var skew = part{"skew", customarySkew, 1e-6, maxSkew, false, func(p *Popularity) any { return &p.Skew }}

func percent(of string, customary float64, field func(*Popularity) any) part {
	return part{"per cent of the " + of, customary, 1e-4, 100, false, field}
}

func hotKeys(p *Popularity) any     { return &p.HotKeys }
func hotRequests(p *Popularity) any { return &p.HotRequests }
func spread(p *Popularity) any      { return &p.Spread }
func every(p *Popularity) any       { return &p.Every }

func (d part) set(p *Popularity, x float64) {
	switch f := d.field(p).(type) {
	case *float64:
		*f = x
	case *int:
		*f = int(x)
	}
}

func (d part) text(p Popularity) string {
	switch f := d.field(&p).(type) {
	case *int:
		return strconv.Itoa(*f)
	case *float64:
		return strconv.FormatFloat(*f, 'f', -1, 64)
	}
	return ""
}

func (d part) parse(p *Popularity, text string) error {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x >= d.least && x <= d.most) || d.whole && x != float64(int64(x)) {
		kind := "number"
		if d.whole {
			kind = "whole number"
		}
		return fmt.Errorf("the %s is %q and not a %s from %v to %v", d.name, text, kind, d.least, d.most)
	}
	d.set(p, x)
	return nil
}

// onehit is a shape that is added to another.
const onehit = "onehit"

var oneHit = part{"share of keys that come once", 0, 1e-6, 1, false, func(p *Popularity) any { return &p.OneHit }}

// ParsePopularity reads a popularity as PopularitySyntax says, such as "zipf:0.99" or
// "hotspot:20:80". What is left out has its customary value; "onehit:0.3" alone is
// "zipf:0.99+onehit:0.3".
func ParsePopularity(text string) (p Popularity, err error) {
	shape, once, both := strings.Cut(strings.TrimSpace(text), "+")
	if !both && (shape == onehit || strings.HasPrefix(shape, onehit+":")) {
		shape, once, both = shapes[Zipfian].name, shape, true
	}
	if both {
		name, share, _ := strings.Cut(once, ":")
		if name != onehit {
			return p, fmt.Errorf("popularity %q: only %s can be added to another, not %q", text, onehit, name)
		}
		if err := oneHit.parse(&p, share); err != nil {
			return Popularity{}, fmt.Errorf("popularity %q: %w", text, err)
		}
	}
	words := strings.Split(shape, ":")
	for s, known := range shapes {
		if known.name != words[0] {
			continue
		}
		p.Shape = Shape(s)
		if given := words[1:]; len(given) > len(known.parts) {
			return Popularity{}, fmt.Errorf("popularity %q: %s has %d parts after it at most", text, known.name, len(known.parts))
		}
		for i, d := range known.parts {
			if i+1 >= len(words) {
				d.set(&p, d.customary)
			} else if err := d.parse(&p, words[i+1]); err != nil {
				return Popularity{}, fmt.Errorf("popularity %q: %w", text, err)
			}
		}
		return p, nil
	}
	return Popularity{}, fmt.Errorf("popularity %q is none of %s", text, PopularitySyntax)
}

// String returns the popularity as ParsePopularity reads it, with all its parts.
func (p Popularity) String() string {
	if int(p.Shape) >= len(shapes) {
		return fmt.Sprintf("Shape(%d)", p.Shape)
	}
	known := shapes[p.Shape]
	words := []string{known.name}
	for _, d := range known.parts {
		words = append(words, d.text(p))
	}
	text := strings.Join(words, ":")
	if p.OneHit > 0 {
		text += "+" + onehit + ":" + oneHit.text(p)
	}
	return text
}

// MarshalText writes the popularity as String does.
func (p Popularity) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the popularity as ParsePopularity does.
func (p *Popularity) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePopularity(string(text))
	return err
}
