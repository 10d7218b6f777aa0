package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands returns the paths of all commands that do something, without larder itself.
func commands() (paths [][]string) {
	var walk func(c *cobra.Command, path []string)
	walk = func(c *cobra.Command, path []string) {
		for _, sub := range c.Commands() {
			below := append(slices.Clone(path), sub.Name())
			if sub.Runnable() {
				paths = append(paths, below)
			}
			walk(sub, below)
		}
	}
	walk(newRoot(), nil)
	return paths
}

// other returns a value of a flag that it does not have by default.
func other(f *pflag.Flag) any {
	if f.Value.Type() == "intSlice" {
		return []string{"7", "71"}
	}
	if _, ok := f.Value.(pflag.SliceValue); ok {
		return []string{"a<1", "b,c"}
	}
	switch f.Value.Type() {
	case "bool":
		return f.DefValue != "true"
	case "duration":
		return "1h2m3s"
	case "string":
		return f.DefValue + "x"
	}
	return json.RawMessage("7" + strings.TrimLeft(f.DefValue, "-"))
}

func TestAPrintedConfigFedBackIsTheSameForEveryCommand(t *testing.T) {
	all := commands()
	if len(all) < 5 {
		t.Fatalf("the commands are %q", all)
	}
	for _, path := range all {
		name := strings.Join(path, " ")
		printed, stderr, code := larder(t, append(path, "--print-config")...)
		if code != exitOK || stderr != "" {
			t.Errorf("%s: exit code %d, %q", name, code, stderr)
			continue
		}
		cmd, _, err := newRoot().Find(path)
		if err != nil {
			t.Fatal(err)
		}
		values := map[string]any{}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !slices.Contains(ofConfig, f.Name) {
				values[f.Name] = other(f)
			}
		})
		var defaults map[string]any
		if err := json.Unmarshal([]byte(printed), &defaults); err != nil || !slices.Equal(slices.Sorted(maps.Keys(defaults)), slices.Sorted(maps.Keys(values))) {
			t.Errorf("%s prints %s, %v", name, printed, err)
		}
		changed, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{printed, string(changed)} {
			file := writeFile(t, "config.json", []byte(text))
			first, stderr, code := larder(t, append(path, "--config", file, "--print-config")...)
			if code != exitOK {
				t.Errorf("%s with %s: exit code %d, %q", name, text, code, stderr)
				continue
			}
			if err := os.WriteFile(file, []byte(first), 0o666); err != nil {
				t.Fatal(err)
			}
			if second, _, _ := larder(t, append(path, "--config", file, "--print-config")...); second != first {
				t.Errorf("%s: printed %s, and fed back %s", name, first, second)
			}
			if text != printed && len(values) > 0 && first == printed {
				t.Errorf("%s: the file %s changes nothing", name, text)
			}
		}
	}
}

func TestFlagsOfTheCommandLineWin(t *testing.T) {
	file := writeFile(t, "c.json", []byte(`{"keys": 7, "rate": 0.5}`))
	stdout, _, code := larder(t, "bench", "--keys", "9", "--config", file, "--print-config")
	if code != exitOK || !strings.Contains(stdout, `"keys": 9`) || !strings.Contains(stdout, `"rate": 0.5`) {
		t.Errorf("exit code %d, config %s", code, stdout)
	}
}

func TestMistakesInAConfigFileAreNamed(t *testing.T) {
	for text, words := range map[string]string{
		`{"kyes": 7}`:                `"kyes" is no flag of this command; the nearest is "keys"`,
		`{"keys": "7"}`:              `"keys" is "7": it must be a whole number`,
		`{"keys": 7, "keys": 8}`:     `"keys" stands there twice`,
		"{\n\"keys\": 7, // rows\n}": "line 2: invalid character '/'",
		`{"config": "x"}`:            `"config" is no flag`,
		`{"keys": 0}`:                "--keys is 0: it must be from 1 to",
	} {
		file := writeFile(t, "c.json", []byte(text))
		stdout, stderr, code := larder(t, "bench", "--config", file)
		if code != exitUsage || stdout != "" {
			t.Errorf("%s: exit code %d, output %q", text, code, stdout)
		}
		checkLine(t, stderr, words)
		if !strings.HasPrefix(words, "--") {
			checkLine(t, stderr, "--config: "+file)
		}
	}
	_, stderr, code := larder(t, "bench", "--config", "nowhere.json")
	if code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	checkLine(t, stderr, `there is no file "nowhere.json": larder bench --print-config writes one`)
}

func TestResultsHaveTheConfigAndNoPassword(t *testing.T) {
	d, _, _, code := measured(t, nil, "--repeat", "2", "--assert", "aside.p99<2ms")
	var config map[string]any
	if err := json.Unmarshal(d.Config, &config); err != nil || code != exitOK || config["repeat"] != 2.0 || fmt.Sprint(config["assert"]) != "[aside.p99<2ms]" {
		t.Errorf("exit code %d, config %s, %v", code, d.Config, err)
	}
	for text, want := range map[string]string{
		"redis://user:pa@ss@host:1/0":        "redis://user:xxxxx@host:1/0",
		`{"redis": "rediss://:secret@host"}`: `{"redis": "rediss://:xxxxx@host"}`,
		"redis://host:6379":                  "redis://host:6379",
		"--redis=redis://a:b@c --out d@e":    "--redis=redis://a:xxxxx@c --out d@e",
	} {
		if got := withoutSecrets(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestAListOfNumbersMayBeNumbersInAConfigFile(t *testing.T) {
	file := writeFile(t, "config.json", []byte(`{"members": [3, "40"]}`))
	stdout, stderr, code := larder(t, "bench", "scenario", "tags", "--config", file, "--print-config")
	if code != exitOK || !strings.Contains(stdout, `"3",`) || !strings.Contains(stdout, `"40"`) {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}
