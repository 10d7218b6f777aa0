package compare

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// Difference is a condition that was not the same in both runs.
type Difference struct {
	What string `json:"what"`
	Old  string `json:"old"`
	New  string `json:"new"`
	// Grave ones make the figures those of different things. The others, such as the
	// version, are what runs are compared for.
	Grave bool `json:"grave"`
}

// String returns the difference in words.
func (d Difference) String() string { return fmt.Sprintf("%s: %s, then %s", d.What, d.Old, d.New) }

// harmless are the flags that change nothing of what is measured.
var harmless = []string{"assert", "config", "json", "no-tui", "out", "print-config", "repeat", "seed"}

// Between returns in what conditions two runs differ.
func Between(before, after *results.Document) (all []Difference) {
	add := func(what string, old, new any, grave bool) {
		if old != new {
			all = append(all, Difference{what, show(old), show(new), grave})
		}
	}
	add("version of larder", before.Version, after.Version, false)
	a, b := before.Environment, after.Environment
	add("version of Go", a.Go, b.Go, false)
	add("operating system", a.OS, b.OS, true)
	add("architecture", a.Arch, b.Arch, true)
	add("CPU", a.CPU, b.CPU, true)
	add("CPUs", a.CPUs, b.CPUs, true)
	add("GOMAXPROCS", a.GOMAXPROCS, b.GOMAXPROCS, true)
	s, t := before.Server, after.Server
	add("kind of server", s.Kind, t.Kind, true)
	add("cluster", s.Cluster, t.Cluster, true)
	add("version of the server", s.Version, t.Version, true)
	if s.Kind == "remote" {
		add("address of the server", s.Address, t.Address, true)
	}
	add("seed", before.Seed, after.Seed, true)
	return append(all, configs(before.Config, after.Config)...)
}

// configs compares the flags. One that only one version of larder has is not grave.
func configs(before, after json.RawMessage) (all []Difference) {
	if len(before) == 0 || len(after) == 0 {
		return nil
	}
	var a, b map[string]json.RawMessage
	if json.Unmarshal(before, &a) != nil || json.Unmarshal(after, &b) != nil {
		return []Difference{{"config", "cannot be read", "cannot be read", false}}
	}
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, inOld := a[name]
		new, inNew := b[name]
		if slices.Contains(harmless, name) || bytes.Equal(compact(old), compact(new)) {
			continue
		}
		all = append(all, Difference{"--" + name, cmp.Or(string(compact(old)), "not there"), cmp.Or(string(compact(new)), "not there"), inOld && inNew})
	}
	return all
}

func compact(data json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, data) != nil {
		return data
	}
	return b.Bytes()
}

func show(x any) string {
	if x == "" {
		return "unknown"
	}
	return fmt.Sprint(x)
}

// Grave returns the differences that make the figures those of different things.
func Grave(all []Difference) (grave []Difference) {
	for _, d := range all {
		if d.Grave {
			grave = append(grave, d)
		}
	}
	return grave
}
