package compare

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

// Load reads the document of a run from a file or from the directory of the run. Of a
// directory of directories of runs it reads all, and returns them as one: the first, with
// the samples of the others. That is for runs of two builds in turns, which a machine
// that gets slower treats alike.
func Load(path string) (*results.Document, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		if _, err := os.Stat(filepath.Join(path, results.FileName)); os.IsNotExist(err) {
			if files, _ := filepath.Glob(filepath.Join(escape(path), "*", results.FileName)); len(files) > 0 {
				return pool(files)
			}
		}
	}
	return results.Read(path)
}

// escape keeps a path from being a pattern.
func escape(path string) string {
	var out []rune
	for _, r := range path {
		switch r {
		case '*', '?', '[', ']':
			out = append(out, '[', r, ']')
		default:
			out = append(out, r)
		}
	}
	return string(out)
}

func pool(files []string) (*results.Document, error) {
	all, err := results.Read(files[0])
	if err != nil {
		return nil, err
	}
	for _, file := range files[1:] {
		d, err := results.Read(file)
		if err != nil {
			return nil, err
		}
		if differences := Between(all, d); len(differences) > 0 {
			return nil, fmt.Errorf("%s and %s are not of the same kind of run: %s", files[0], file, differences[0])
		}
		all.Interrupted = all.Interrupted || d.Interrupted
		for _, s := range all.Sections {
			for i := range s.Metrics {
				m := &s.Metrics[i]
				n, ok := d.Metric(m.Name)
				if !ok || n.Unit != m.Unit {
					return nil, fmt.Errorf("%s has no metric %s in %s, which %s has", file, m.Name, m.Unit, files[0])
				}
				m.Samples = append(m.Samples, n.Samples...)
			}
		}
	}
	return all, nil
}
