// Package configfile gives the flags of a command values from a JSON object, and writes
// the values that they have as one.
package configfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
	"github.com/spf13/pflag"
)

// Apply gives flags the values of an object whose keys are their names. Flags that were
// given on the command line keep theirs. A value that is the default leaves its flag as
// if it had not been given, so that applying what Effective writes changes nothing. The
// flags in without cannot be given. An error names the key, or the line.
func Apply(flags *pflag.FlagSet, data []byte, without ...string) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	broken := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errors.New("it ends too early")
		}
		at := d.InputOffset()
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = max(at, s.Offset)
		}
		line := 1 + bytes.Count(data[:min(int(at), len(data))], []byte("\n"))
		return fmt.Errorf("line %d: %w: it must be a JSON object of flags and their values, without comments", line, err)
	}
	if t, err := d.Token(); err != nil {
		return broken(err)
	} else if t != json.Delim('{') {
		return broken(fmt.Errorf("it begins with %v", t))
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return broken(err)
		}
		key := t.(string) // or the decoder would have said no
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return broken(err)
		}
		f := flags.Lookup(key)
		switch {
		case seen[key]:
			return fmt.Errorf("%q stands there twice", key)
		case f == nil || slices.Contains(without, key):
			return unknown(flags, key, without)
		}
		seen[key] = true
		if err := set(f, value); err != nil {
			return fmt.Errorf("%q is %s: %w", key, brief(value), err)
		}
	}
	if _, err := d.Token(); err != nil {
		return broken(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return broken(errors.New("there is something behind the object"))
	}
	return nil
}

func unknown(flags *pflag.FlagSet, key string, without []string) error {
	var names []string
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && !slices.Contains(without, f.Name) {
			names = append(names, f.Name)
		}
	})
	near := spelling.Nearest(strings.TrimLeft(key, "-"), names, 1)
	if len(near) == 0 {
		return fmt.Errorf("%q is no flag of this command", key)
	}
	return fmt.Errorf("%q is no flag of this command; the nearest is %q", key, near[0])
}

// set gives a flag a value, unless it has one from the command line, or the value is its
// default.
func set(f *pflag.Flag, value json.RawMessage) error {
	k := kindOf(f)
	if k == list {
		values, err := texts(value, f.Value.Type() == "intSlice")
		if err != nil || f.Changed {
			return err
		}
		s := f.Value.(pflag.SliceValue)
		if slices.Equal(values, s.GetSlice()) {
			return nil
		}
		f.Changed = true
		return s.Replace(values)
	}
	text, ok := k.text(value)
	if !ok {
		return fmt.Errorf("it must be %s", k)
	}
	if f.Changed {
		return nil
	}
	if text == f.DefValue {
		return nil
	}
	if err := f.Value.Set(text); err != nil {
		return fmt.Errorf("it must be %s", k)
	}
	f.Changed = true
	return nil
}

// texts reads a list of texts, or one; and numbers, if the flag is a list of these.
func texts(value json.RawMessage, numbers bool) ([]string, error) {
	var all []json.RawMessage
	if value[0] != '[' {
		all = append(all, value)
	} else if json.Unmarshal(value, &all) != nil {
		return nil, fmt.Errorf("it must be %s", list)
	}
	values := []string{}
	for _, raw := range all {
		var s *string // nil is null
		if _, err := strconv.Atoi(string(raw)); err == nil && numbers {
			text := string(raw)
			s = &text
		} else if json.Unmarshal(raw, &s) != nil || s == nil {
			return nil, fmt.Errorf("it must be %s", list)
		}
		values = append(values, *s)
	}
	return values, nil
}

func brief(value json.RawMessage) string {
	const most = 40
	if len(value) > most {
		return strings.ToValidUTF8(string(value[:most]), "") + "..."
	}
	return string(value)
}
