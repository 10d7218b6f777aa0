package configfile

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/spf13/pflag"
)

// kind is how a flag is written in JSON.
type kind string

const (
	truth  kind = "true or false"
	whole  kind = "a whole number in the range of the flag"
	number kind = "a number"
	text   kind = "a text in quotes that the flag accepts"
	times  kind = `a duration in quotes, such as "4s"`
	list   kind = "a list of texts in quotes"
)

func kindOf(f *pflag.Flag) kind {
	if _, ok := f.Value.(pflag.SliceValue); ok {
		return list
	}
	switch f.Value.Type() {
	case "bool":
		return truth
	case "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "count":
		return whole
	case "float32", "float64":
		return number
	case "duration":
		return times
	}
	return text
}

// text returns a value as it would be typed, if it is one of the kind.
func (k kind) text(value json.RawMessage) (s string, ok bool) {
	switch k {
	case truth:
		s = string(value)
		return s, s == "true" || s == "false"
	case whole, number:
		s = string(value)
		return s, value[0] == '-' || value[0] >= '0' && value[0] <= '9'
	}
	if value[0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(value, &s) == nil
}

// Effective returns the values that the flags have as a JSON object, by name, without
// those in without: what Apply reads.
func Effective(flags *pflag.FlagSet, without ...string) (json.RawMessage, error) {
	values := map[string]json.RawMessage{}
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		if slices.Contains(without, f.Name) || f.Deprecated != "" {
			return
		}
		value, err := valueOf(f)
		if err != nil && failed == nil {
			failed = err
		}
		values[f.Name] = value
	})
	if failed != nil {
		return nil, failed
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // < and > are of assertions
	e.SetIndent("", "  ")
	err := e.Encode(values)
	return bytes.TrimSpace(b.Bytes()), err
}

func valueOf(f *pflag.Flag) (json.RawMessage, error) {
	s := f.Value.String()
	switch kindOf(f) {
	case list:
		values := f.Value.(pflag.SliceValue).GetSlice()
		if values == nil {
			values = []string{}
		}
		return encode(values)
	case truth, whole:
		return json.RawMessage(s), nil
	case number:
		// What is no number in JSON is none that a flag accepts, either.
		if x, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(x) && !math.IsInf(x, 0) {
			return encode(x)
		}
	}
	return encode(s)
}

func encode(x any) (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(x)
	return bytes.TrimSpace(b.Bytes()), err
}
