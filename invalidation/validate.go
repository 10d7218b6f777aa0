package invalidation

import (
	"fmt"
	"time"
)

// validate is Validate with names for the fields.
func (p Policy) validate(name func(field string) string) error {
	for _, f := range fields {
		if f.duration == nil {
			continue
		}
		switch d := *f.duration(&p); {
		case d < 0:
			return fmt.Errorf("%s is %s: it cannot be negative", name(f.name), durationText(d))
		case d > 0 && d < time.Millisecond:
			return fmt.Errorf("%s is %v: times are kept in milliseconds, so it must be 0 or at least 1ms", name(f.name), durationText(d))
		}
	}
	switch {
	case !(p.Jitter >= 0 && p.Jitter <= 1):
		return fmt.Errorf("%s is %v: it is a fraction and must be between 0 and 1", name("Jitter"), p.Jitter)
	case !(p.Early >= 0 && p.Early <= maxEarly):
		return fmt.Errorf("%s is %v: it is a factor and must be between 0 and %d", name("Early"), p.Early, maxEarly)
	case !(p.Ahead >= 0 && p.Ahead < 1):
		return fmt.Errorf("%s is %v: it is a fraction of %s and must be at least 0 and less than 1", name("Ahead"), p.Ahead, name("Fresh"))
	case p.Backoff == Forever:
		return fmt.Errorf("%s is forever: a key of which one load has failed would never be loaded again", name("Backoff"))
	}
	return p.together(name)
}

// together returns what fields contradict each other.
func (p Policy) together(name func(field string) string) error {
	if p.Fresh == 0 {
		for _, c := range []struct {
			field string
			set   bool
			value any
			why   string
		}{
			{"Stale", p.Stale > 0, durationText(p.Stale), "a value that is never fresh cannot become stale"},
			{"IfError", p.IfError > 0, durationText(p.IfError), "a value that is never fresh cannot become stale"},
			{"Early", p.Early > 0, p.Early, "there is nothing to load again before its time"},
			{"Ahead", p.Ahead > 0, p.Ahead, "there is nothing to load again before its time"},
		} {
			if c.set {
				return fmt.Errorf("%s is %v, but %s is 0: %s", name(c.field), c.value, name("Fresh"), c.why)
			}
		}
	}
	if p.Early > 0 && p.Ahead > 0 {
		return fmt.Errorf("%s is %v and %s is %v: values are loaded again before their time by one of them", name("Early"), p.Early, name("Ahead"), p.Ahead)
	}
	return nil
}
