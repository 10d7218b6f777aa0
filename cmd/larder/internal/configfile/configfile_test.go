package configfile

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// values are those of the flags of a sample.
type values struct {
	keys     int
	seed     uint64
	zipf     float64
	quick    bool
	duration time.Duration
	redis    string
	assert   []string
}

func sample() (*pflag.FlagSet, *values) {
	f, v := pflag.NewFlagSet("sample", pflag.ContinueOnError), &values{}
	f.IntVar(&v.keys, "keys", 10, "")
	f.Uint64Var(&v.seed, "seed", 0, "")
	f.Float64Var(&v.zipf, "zipf", 0.99, "")
	f.BoolVar(&v.quick, "quick", false, "")
	f.DurationVar(&v.duration, "duration", 4*time.Second, "")
	f.StringVar(&v.redis, "redis", "", "")
	f.StringArrayVar(&v.assert, "assert", nil, "")
	f.Bool("help", false, "")
	return f, v
}

const allOfThem = `{
  "assert": ["a<2ms", "b,c>=1"],
  "duration": "1m30s",
  "keys": 20,
  "quick": true,
  "redis": "spawn",
  "seed": 18446744073709551615,
  "zipf": 0
}`

func TestEveryKindOfFlagComesFromAFile(t *testing.T) {
	f, v := sample()
	if err := Apply(f, []byte(allOfThem), "help"); err != nil {
		t.Fatal(err)
	}
	if v.keys != 20 || v.seed != 1<<64-1 || v.zipf != 0 || !v.quick || v.duration != 90*time.Second || v.redis != "spawn" || !slices.Equal(v.assert, []string{"a<2ms", "b,c>=1"}) {
		t.Errorf("the values are %+v", v)
	}
	written, err := Effective(f, "help")
	if err != nil {
		t.Fatal(err)
	}
	again, w := sample()
	if err := Apply(again, written, "help"); err != nil {
		t.Fatal(err)
	}
	if twice, _ := Effective(again, "help"); string(twice) != string(written) || !slices.Equal(w.assert, v.assert) || !strings.Contains(string(written), `"a<2ms"`) {
		t.Errorf("written %s, and read again %s", written, twice)
	}
}

func TestTheCommandLineWins(t *testing.T) {
	f, v := sample()
	if err := f.Parse([]string{"--keys", "30", "--assert", "mine"}); err != nil {
		t.Fatal(err)
	}
	if err := Apply(f, []byte(allOfThem), "help"); err != nil {
		t.Fatal(err)
	}
	if v.keys != 30 || !slices.Equal(v.assert, []string{"mine"}) || v.redis != "spawn" {
		t.Errorf("the values are %+v", v)
	}
}

func TestADefaultIsAsIfItWereNotThere(t *testing.T) {
	f, _ := sample()
	written, err := Effective(f, "help")
	if err != nil {
		t.Fatal(err)
	}
	if err := Apply(f, written, "help"); err != nil {
		t.Fatal(err)
	}
	f.Visit(func(f *pflag.Flag) { t.Errorf("--%s counts as given", f.Name) })
	if err := Apply(f, []byte(`{"keys": 11}`)); err != nil || !f.Changed("keys") {
		t.Errorf("another value does not count as given: %v", err)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for text, words := range map[string]string{
		``:                          "line 1: it ends too early",
		`[]`:                        "line 1: it begins with [",
		"{\n\"keys\": 1,":           "line 2: it ends too early",
		"{\n\"keys\": 1,\n}":        "line 3: invalid character",
		"{\n// all\n\"keys\": 1}":   "line 2: invalid character '/'",
		`{"keys": 1} {}`:            "behind the object",
		`{"keys": 1`:                "line 1: it ends too early",
		`{"keys": 1, "keys": 2}`:    `"keys" stands there twice`,
		`{"kyes": 1}`:               `"kyes" is no flag of this command; the nearest is "keys"`,
		`{"--keys": 1}`:             `"--keys" is no flag of this command; the nearest is "keys"`,
		`{"nothing-like-it": 1}`:    `"nothing-like-it" is no flag of this command`,
		`{"help": true}`:            `"help" is no flag of this command`,
		`{"keys": "10"}`:            `"keys" is "10": it must be a whole number`,
		`{"keys": 1.5}`:             `"keys" is 1.5: it must be a whole number`,
		`{"keys": 1e99}`:            `"keys" is 1e99: it must be a whole number`,
		`{"keys": null}`:            `"keys" is null: it must be a whole number`,
		`{"seed": -1}`:              `"seed" is -1: it must be a whole number in the range`,
		`{"zipf": "1"}`:             `"zipf" is "1": it must be a number`,
		`{"quick": "true"}`:         `"quick" is "true": it must be true or false`,
		`{"quick": 1}`:              `"quick" is 1: it must be true or false`,
		`{"duration": 4}`:           `"duration" is 4: it must be a duration in quotes, such as "4s"`,
		`{"duration": "4 seconds"}`: `"duration" is "4 seconds": it must be a duration`,
		`{"redis": ["a"]}`:          `"redis" is ["a"]: it must be a text`,
		`{"assert": [1]}`:           `"assert" is [1]: it must be a list of texts`,
		`{"assert": ["a", null]}`:   `it must be a list of texts`,
		`{"assert": null}`:          `it must be a list of texts`,
		`{"redis": {"a":"` + strings.Repeat("x", 50) + `"}}`: `xxx...: it must be a text`,
	} {
		f, _ := sample()
		if err := Apply(f, []byte(text), "help"); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", text, err)
		}
	}
	f, v := sample()
	if err := Apply(f, []byte(`{"assert": "one"}`)); err != nil || !slices.Equal(v.assert, []string{"one"}) {
		t.Errorf("one text for a list: %q, %v", v.assert, err)
	}
}

func FuzzApply(f *testing.F) {
	for _, s := range []string{allOfThem, `{}`, `{"keys":1,"keys":2}`, `{"assert":"x"}`, `{"zipf":1e3}`, `{"duration":"1h"}`, "{\"a\":\n[}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		flags, v := sample()
		if err := Apply(flags, []byte(text), "help"); err != nil {
			return
		}
		written, err := Effective(flags, "help")
		if err != nil {
			t.Fatal(err)
		}
		again, w := sample()
		if err := Apply(again, written, "help"); err != nil {
			t.Fatalf("%s is written as %s: %v", text, written, err)
		}
		if v.keys != w.keys || v.seed != w.seed || v.zipf != w.zipf || v.quick != w.quick || v.duration != w.duration || v.redis != w.redis || !slices.Equal(v.assert, w.assert) {
			t.Fatalf("%s gives %+v, and %s gives %+v", text, v, written, w)
		}
	})
}
