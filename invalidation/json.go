package invalidation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// MarshalJSON returns the fields of p that are not zero, with durations such as
// "1h30m" or "forever". It is an error if Validate is.
func (p Policy) MarshalJSON() ([]byte, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	b := []byte{'{'}
	for _, f := range fields {
		var value any
		switch {
		case f.duration != nil && *f.duration(&p) != 0:
			value = durationText(*f.duration(&p))
		case f.fraction != nil && *f.fraction(&p) != 0:
			value = *f.fraction(&p)
		default:
			continue
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(fmt.Appendf(b, "%q:", jsonName(f.name)), text...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON makes p what an object says, such as
//
//	{"preset": "resilient", "fresh": "5m", "stale": "1h"}
//
// The preset, one of ttl, strict and resilient, is made of fresh, and what else is
// there takes the place of its fields. Without one, what is not there is zero. Fields
// have the names of those of Policy, with a small first letter. Those that there are
// not, or that are there twice, and policies that make no sense, are errors that name
// the fields, and leave p as it was.
func (p *Policy) UnmarshalJSON(b []byte) error {
	if string(bytes.TrimSpace(b)) == "null" {
		return nil // as every type has it
	}
	preset, given, err := readFields(b)
	if err != nil {
		return fmt.Errorf("larder: policy in JSON: %w", err)
	}
	q, err := compose(preset, given, jsonName)
	if err != nil {
		return fmt.Errorf("larder: policy in JSON: %w", err)
	}
	*p = q
	return nil
}

// jsonName returns the name in JSON of a field in Go.
func jsonName(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// readFields returns what an object says, as text by the names of the fields in Go.
func readFields(b []byte) (preset string, given map[string]string, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return "", nil, errors.New(`it must be an object, such as {"fresh": "5m"}`)
	}
	given = map[string]string{}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return "", nil, err
		}
		name, _ := t.(string)
		if seen[name] {
			return "", nil, fmt.Errorf("%s is there twice", name)
		}
		seen[name] = true
		var value any
		if err := d.Decode(&value); err != nil {
			return "", nil, fmt.Errorf("%s: %w", name, err)
		}
		if name == "preset" {
			if preset, _ = value.(string); preset == "" {
				return "", nil, fmt.Errorf("%s must be one of %s", name, presetNames())
			}
			continue
		}
		if err := readField(given, name, value); err != nil {
			return "", nil, err
		}
	}
	if _, err := d.Token(); err != nil {
		return "", nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return "", nil, errors.New("there is something after the object")
	}
	return preset, given, nil
}

// readField notes the value of a field.
func readField(given map[string]string, name string, value any) error {
	for _, f := range fields {
		if jsonName(f.name) != name {
			continue
		}
		text, isText := value.(string)
		number, isNumber := value.(json.Number)
		switch {
		case f.duration != nil && !isText:
			return fmt.Errorf(`%s must be a duration in quotes, such as "1h30m" or "%s"`, name, foreverText)
		case f.duration == nil && !isNumber:
			return fmt.Errorf("%s must be a number", name)
		}
		given[f.name] = text + string(number)
		return nil
	}
	return fmt.Errorf("a policy has no field %q", name)
}
