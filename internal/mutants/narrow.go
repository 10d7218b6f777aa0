package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
)

// testFile is what a file with tests declares and names.
type testFile struct {
	path     string
	declares map[string]bool // at its top level; of a method, its type
	names    map[string]bool // all that are in it
}

// others returns the test files of a package which a test can be compiled without. Most
// of what a mutant takes is the compiling of tests. The test needs the files with it and
// with TestMain, and what declares anything that is named in a file which it needs. That
// is found by name alone: it may be too much, and if it were too little, the mutant would
// not compile, which is an error.
func others(pkg, test string) ([]string, error) {
	paths, err := filepath.Glob(filepath.Join(pkg, "*_test.go"))
	if err != nil {
		return nil, err
	}
	var out []*testFile
	for _, path := range paths {
		f, err := readTests(path)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	needed := map[string]bool{"TestMain": true, strings.SplitN(test, "/", 2)[0]: true}
	for more := true; more; {
		more = false
		out = slices.DeleteFunc(out, func(f *testFile) bool {
			if !f.declaresOneOf(needed) {
				return false
			}
			more = true
			for name := range f.names {
				needed[name] = true
			}
			return true
		})
	}
	var left []string
	for _, f := range out {
		left = append(left, f.path)
	}
	return left, nil
}

func (f *testFile) declaresOneOf(names map[string]bool) bool {
	for name := range f.declares {
		if names[name] {
			return true
		}
	}
	return false
}

func readTests(path string) (*testFile, error) {
	syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	f := &testFile{path, map[string]bool{}, map[string]bool{}}
	for _, d := range syntax.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				f.declares[d.Name.Name] = true
			} else {
				f.declares[receiver(d)] = true
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					f.declares[s.Name.Name] = true
				case *ast.ValueSpec:
					for _, name := range s.Names {
						f.declares[name.Name] = true
					}
				}
			}
		}
	}
	delete(f.declares, "_")
	ast.Inspect(syntax, func(n ast.Node) bool {
		if name, ok := n.(*ast.Ident); ok {
			f.names[name.Name] = true
		}
		return true
	})
	return f, nil
}

// receiver returns the name of the type that has the method.
func receiver(method *ast.FuncDecl) (name string) {
	ast.Inspect(method.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}
