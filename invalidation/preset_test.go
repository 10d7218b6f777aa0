package invalidation

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"
)

// The table is in docs/policies.md.
func TestPresetsAreWhatTheirTableSays(t *testing.T) {
	doc, err := os.ReadFile("../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(string(doc)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.Trim(cells[i], " `")
		}
		if len(cells) == 5 {
			rows[cells[0]] = cells[1:4]
		}
	}
	presets := []Policy{TTL(5 * time.Minute), Strict(5 * time.Minute), Resilient(5 * time.Minute)}
	values := map[string]string{"d": "5m", "1 h": "1h", "0": "0s", "5 s": "5s", "d, at least 1 h": "1h", "d / 60, 100 ms to 10 s": "5s"}
	for _, f := range fields {
		if len(rows[f.name]) != 3 {
			t.Errorf("there is no row of %s", f.name)
			continue
		}
		for i, p := range presets {
			cell := rows[f.name][i]
			want := cell
			if v, ok := values[cell]; ok && f.duration != nil {
				want = v
			}
			var q Policy
			if err := f.set(&q, want); err != nil {
				t.Errorf("%s: %q: %v", f.name, cell, err)
				continue
			}
			if f.duration != nil && *f.duration(&q) != *f.duration(&p) || f.fraction != nil && *f.fraction(&q) != *f.fraction(&p) {
				t.Errorf("%s of preset %d is not %s, as the table says: %+v", f.name, i, cell, p)
			}
		}
	}
}

func TestPresetsMakeSenseForEveryTime(t *testing.T) {
	for _, d := range []time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour, 1000 * time.Hour, Forever} {
		for _, preset := range presets {
			p := preset.of(d)
			if err := p.Validate(); err != nil {
				t.Errorf("%s(%v): %v", preset.name, d, err)
			}
			if p.Fresh != d {
				t.Errorf("%s(%v) is fresh for %v", preset.name, d, p.Fresh)
			}
			fresh, expires := p.Value(0)
			if preset.name == "resilient" != (expires > fresh) && d != Forever {
				t.Errorf("%s(%v) is fresh until %d and expires at %d", preset.name, d, fresh, expires)
			}
		}
		if p := Resilient(d); p.Stale < d || p.IfError < time.Hour || p.Backoff < 100*time.Millisecond || p.Backoff > 10*time.Second {
			t.Errorf("Resilient(%v) is %+v", d, p)
		}
	}
}

func TestCombinationsThatMakeNoSenseNameBothFields(t *testing.T) {
	for _, c := range []struct {
		p    Policy
		want [2]string
	}{
		{Policy{Stale: time.Second}, [2]string{"Stale", "Fresh"}},
		{Policy{IfError: time.Second}, [2]string{"IfError", "Fresh"}},
		{Policy{Early: 1}, [2]string{"Early", "Fresh"}},
		{Policy{Ahead: 0.5}, [2]string{"Ahead", "Fresh"}},
		{Policy{Fresh: time.Minute, Early: 1, Ahead: 0.5}, [2]string{"Early", "Ahead"}},
		{Policy{Fresh: time.Minute, Backoff: Forever}, [2]string{"Backoff", "Backoff"}},
		{Policy{Fresh: time.Minute, IfError: -1}, [2]string{"IfError", "IfError"}},
		{Policy{Fresh: time.Minute, Backoff: 1}, [2]string{"Backoff", "Backoff"}},
		{Policy{Fresh: time.Minute, Early: 101}, [2]string{"Early", "Early"}},
		{Policy{Fresh: time.Minute, Ahead: 1}, [2]string{"Ahead", "Ahead"}},
	} {
		err := c.p.Validate()
		for _, field := range c.want {
			if err == nil || !strings.Contains(err.Error(), "Policy."+field) {
				t.Errorf("%+v: %v does not name %s", c.p, err, field)
			}
		}
		if _, err := json.Marshal(c.p); err == nil {
			t.Errorf("%+v is written, though it makes no sense", c.p)
		}
		text := map[string]string{}
		for _, f := range fields {
			switch {
			case f.duration != nil && *f.duration(&c.p) != 0:
				text["L_"+f.env] = durationText(*f.duration(&c.p))
			case f.fraction != nil && *f.fraction(&c.p) != 0:
				b, _ := json.Marshal(*f.fraction(&c.p))
				text["L_"+f.env] = string(b)
			}
		}
		_, err = policyFrom("L", func(name string) string { return text[name] })
		for _, field := range c.want {
			if err == nil || !strings.Contains(err.Error(), "L_"+envOf(field)) {
				t.Errorf("%v: %v does not name %s", text, err, field)
			}
		}
	}
}

func envOf(name string) string {
	for _, f := range fields {
		if f.name == name {
			return f.env
		}
	}
	return ""
}
