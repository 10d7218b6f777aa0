package policy

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// generate writes traces of every popularity into a directory.
func generate(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, text := range []string{"uniform", "zipf:0.6", "zipf:0.99", "zipf:1.3", "hotspot:20:80", "latest:0.99", "loop",
		"shift:0.99:1000", "exponential:10", "gaussian:10", "onehit:0.3", "loop+onehit:0.1"} {
		p, err := workload.ParsePopularity(text)
		if err != nil {
			t.Fatal(err)
		}
		keys, ids, known := p.Open(rand.New(rand.NewPCG(1, 1)), 500), []uint32(nil), map[uint32]uint32{}
		for range 6000 {
			key := keys.Next()
			if _, ok := known[key]; !ok {
				known[key] = uint32(len(known))
			}
			ids = append(ids, known[key])
		}
		var b bytes.Buffer
		if err := trace.WriteCompact(&b, ids); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, strings.ReplaceAll(text, ":", "-")+".trc"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Hits of the LRU and of the optimum are those of their references, exactly, on
// generated traces and on those in the directory that the variable LARDER_TRACES names
// (make hitratio-check).
func TestHitRatiosEqualThoseOfTheReferences(t *testing.T) {
	dirs := []string{generate(t)}
	if dir := os.Getenv("LARDER_TRACES"); dir != "" {
		dirs = append(dirs, dir)
	}
	capacities, err := ParseCapacities(Auto, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		found := 0
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) == ".md" {
				return err
			}
			found++
			t.Run(filepath.Base(path), func(t *testing.T) { checkExact(t, path, capacities) })
			return nil
		})
		if err != nil || found == 0 {
			t.Errorf("%d traces in %s: %v", found, dir, err)
		}
	}
}

func checkExact(t *testing.T, path string, capacities []Capacity) {
	tr, err := trace.Open(t.Context(), path, trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tr.Ops, tr.TTLs = nil, nil // the reference of the optimum knows reads alone
	l := load(t, tr, Options{})
	amounts, table := l.Amounts(capacities)
	t.Logf("%s, %d requests, %d keys, %d capacities", tr.Format, len(tr.IDs), tr.Unique, len(amounts))
	ratio := func(hits int64) float64 { return 100 * float64(hits) / float64(l.Reads) }
	for _, capacity := range amounts {
		lru, best := run(t, l, LRU, capacity).Requests, run(t, l, Optimum, capacity).Requests
		if want := referenceLRU(tr, Options{}, capacity).Requests; lru != want {
			t.Errorf("%d entries: the LRU has %d hits, its reference %d", capacity, lru, want)
		}
		if want := referenceMIN(tr.IDs, int(capacity)); best != want {
			t.Errorf("%d entries: the optimum has %d hits, its reference %d", capacity, best, want)
		}
		if len(table) > 0 && capacity == table[0] {
			table = table[1:]
			t.Logf("%7d entries: lru %6.2f %%, optimum %6.2f %%", capacity, ratio(lru), ratio(best))
		}
	}
}
