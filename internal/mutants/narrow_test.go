package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestATestIsCompiledWithAllThatItNeeds(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main":    "func TestMain() { leaks() }",
		"leaks":   "func leaks() {}",
		"a":       "func TestA() { fake := newFake(); fake.Get() }",
		"fake":    "type Fake[K any] struct{}\nfunc newFake() Fake[int] { return Fake[int]{} }",
		"method":  "func (f *Fake[K]) Get() { _ = limit }",
		"limit":   "const other, limit = 1, 2",
		"b":       "func TestB() { TestA() }",
		"unasked": "var _ = 1\nfunc (w wrong) Get() {}\ntype wrong struct{}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name+"_test.go"), []byte("package p\n"+text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	got, err := others(dir, "TestA/part")
	if want := []string{filepath.Join(dir, "b_test.go"), filepath.Join(dir, "unasked_test.go")}; err != nil || !slices.Equal(got, want) {
		t.Errorf("it is compiled without %q, %v", got, err)
	}
}
