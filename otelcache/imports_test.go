package otelcache_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// Which SDK there is, and in which version, is the program's choice.
func TestOnlyTestsImportTheSDK(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	imports := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range file.Imports {
			if imports++; strings.Contains(i.Path.Value, "opentelemetry.io/otel/sdk") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
	if imports < 10 {
		t.Errorf("only %d imports are found", imports)
	}
}
