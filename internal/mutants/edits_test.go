package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// A mutant whose text is not in the code any more is found without running it.
func TestEveryEditIsOfTheCodeAsItIs(t *testing.T) {
	texts := map[string][]byte{}
	for _, m := range mutants {
		for _, e := range m.edits {
			if texts[e.file] == nil {
				text, err := os.ReadFile(filepath.Join("../..", e.file))
				if err != nil {
					t.Errorf("%s: %v", m.name, err)
					continue
				}
				texts[e.file] = text
			}
			if n := bytes.Count(texts[e.file], []byte(e.old)); n != 1 {
				t.Errorf("%s: %s has %d times, not once, the text %q", m.name, e.file, n, e.old)
			}
		}
	}
}
