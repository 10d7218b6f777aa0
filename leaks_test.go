package larder_test

import (
	"fmt"
	"go/ast"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// finders are what a TestMain calls that finds goroutines which tests have left.
var finders = []string{"goleak.VerifyTestMain", "goleak.Find", "redistest.Main"}

// leaks checks that the tests of each package end with a look at what is still
// running.
func leaks(all []source) (problems []string) {
	looks := map[string]bool{} // by directory
	for _, s := range all {
		if !s.isTest() {
			continue
		}
		file, _, err := s.parse()
		if err != nil {
			problems = append(problems, err.Error())
			continue
		}
		dir := filepath.ToSlash(filepath.Dir(s.path))
		looks[dir] = looks[dir] || looksForLeaks(file)
	}
	for _, dir := range slices.Sorted(maps.Keys(looks)) {
		if !looks[dir] {
			problems = append(problems, fmt.Sprintf("%s has tests, but no TestMain that calls %s", dir, strings.Join(finders, " or ")))
		}
	}
	return problems
}

// looksForLeaks reports whether a file has a TestMain that calls a finder, which is
// Main in the package redistest itself.
func looksForLeaks(file *ast.File) (found bool) {
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != "TestMain" || f.Recv != nil {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			switch fun := call.Fun.(type) {
			case *ast.SelectorExpr:
				if x, ok := fun.X.(*ast.Ident); ok {
					found = found || slices.Contains(finders, x.Name+"."+fun.Sel.Name)
				}
			case *ast.Ident:
				found = found || file.Name.Name == "redistest" && fun.Name == "Main"
			}
			return true
		})
	}
	return found
}

func TestEveryPackageWithTestsLooksForLeaks(t *testing.T) {
	list, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	report(t, leaks(list))
}

func TestTheRuleOfLeaksCanFail(t *testing.T) {
	main := func(name, body string) source {
		return source{"a/main_test.go", "package " + name + "\n\nfunc TestMain(m *testing.M) { " + body + " }\n"}
	}
	other := source{"a/a_test.go", "package a\n\nfunc TestA(t *testing.T) { goleak.Find() }\n"}
	for what, c := range map[string]struct {
		files []source
		bad   bool
	}{
		"no TestMain":          {[]source{other}, true},
		"one that does not":    {[]source{other, main("a", "os.Exit(m.Run())")}, true},
		"of another directory": {[]source{{"b/b_test.go", other.text}, main("a", "goleak.VerifyTestMain(m)")}, true},
		"a comment":            {[]source{main("a", "/* goleak.Find() */")}, true},
		"a method":             {[]source{{"a/main_test.go", "package a\n\nfunc (x) TestMain() { goleak.Find() }\n"}}, true},
		"broken":               {[]source{{"a/main_test.go", "package"}}, true},
		"goleak":               {[]source{other, main("a", "goleak.VerifyTestMain(m)")}, false},
		"goleak at the end":    {[]source{main("a", "if err := goleak.Find(); err != nil { panic(err) }")}, false},
		"redistest":            {[]source{main("a", "os.Exit(redistest.Main(m))")}, false},
		"redistest itself":     {[]source{main("redistest", "os.Exit(Main(m))")}, false},
		"a Main of its own":    {[]source{main("a", "os.Exit(Main(m))")}, true},
		"no tests":             {[]source{{"a/a.go", "package a\n"}}, false},
	} {
		if got := leaks(c.files); (len(got) > 0) != c.bad {
			t.Errorf("%s: %q", what, got)
		}
	}
}
