package invalidation

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// field is a field of a Policy, as text names and writes it.
type field struct {
	name, env string // in Go, and after the prefix of a variable
	// One of them is not nil.
	duration func(*Policy) *time.Duration
	fraction func(*Policy) *float64
}

// fields are those of a Policy, in order.
var fields = []field{
	{"Fresh", "FRESH", func(p *Policy) *time.Duration { return &p.Fresh }, nil},
	{"Stale", "STALE", func(p *Policy) *time.Duration { return &p.Stale }, nil},
	{"IfError", "IF_ERROR", func(p *Policy) *time.Duration { return &p.IfError }, nil},
	{"Negative", "NEGATIVE", func(p *Policy) *time.Duration { return &p.Negative }, nil},
	{"Jitter", "JITTER", nil, func(p *Policy) *float64 { return &p.Jitter }},
	{"Backoff", "BACKOFF", func(p *Policy) *time.Duration { return &p.Backoff }, nil},
	{"Early", "EARLY", nil, func(p *Policy) *float64 { return &p.Early }},
	{"Ahead", "AHEAD", nil, func(p *Policy) *float64 { return &p.Ahead }},
}

// set gives the field what text says.
func (f field) set(p *Policy, text string) (err error) {
	if f.duration != nil {
		*f.duration(p), err = parseDuration(text)
		return err
	}
	if *f.fraction(p), err = strconv.ParseFloat(text, 64); err != nil {
		return fmt.Errorf("%q is no number", text)
	}
	return nil
}

const foreverText = "forever"

func parseDuration(text string) (time.Duration, error) {
	if text == foreverText {
		return Forever, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration, such as 1h30m, 250ms or %s", text, foreverText)
	}
	return d, nil
}

// durationText returns d as parseDuration reads it, without parts that are zero.
func durationText(d time.Duration) string {
	if d == Forever {
		return foreverText
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// compose returns the policy of a preset, if its name is not "", with the fields
// that are given in place of its own. name says how a field is called where they
// come from; preset is one of them.
func compose(preset string, given map[string]string, name func(field string) string) (Policy, error) {
	var p Policy
	if preset != "" {
		of := presetOf(preset)
		if of == nil {
			return Policy{}, fmt.Errorf("%s: there is no preset %q: it must be one of %s", name("Preset"), preset, presetNames())
		}
		text, ok := given["Fresh"]
		if !ok {
			return Policy{}, fmt.Errorf("%s is %s, but there is no %s, of which it is made", name("Preset"), preset, name("Fresh"))
		}
		if d, err := parseDuration(text); err == nil && d > 0 {
			p = of(d)
		}
	}
	for _, f := range fields {
		text, ok := given[f.name]
		if !ok {
			continue
		}
		if err := f.set(&p, text); err != nil {
			return Policy{}, fmt.Errorf("%s: %w", name(f.name), err)
		}
	}
	if err := p.validate(name); err != nil {
		return Policy{}, err
	}
	if preset != "" && p.Fresh == 0 {
		return Policy{}, fmt.Errorf("%s is %s, but %s is 0: there is nothing to keep", name("Preset"), preset, name("Fresh"))
	}
	return p, nil
}

func presetOf(name string) func(time.Duration) Policy {
	for _, p := range presets {
		if p.name == name {
			return p.of
		}
	}
	return nil
}

func presetNames() string {
	var names []string
	for _, p := range presets {
		names = append(names, p.name)
	}
	return strings.Join(names, ", ")
}
