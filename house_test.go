// Package larder_test holds the rules of the house, which no compiler checks.
package larder_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/larder-cache/larder"

// rooms says which packages of the library each of them may import. A store is
// in no list: who uses one gets it as a cache.Cache.
var rooms = map[string]struct {
	ours         []string
	standardOnly bool
}{
	"cache":                              {ours: []string{"internal/clock"}, standardOnly: true},
	"cache/cachetest":                    {ours: []string{"cache", "invalidation"}, standardOnly: true},
	"cache/storetest":                    {ours: []string{"cache", "cache/storetest/internal/reference"}},
	"cache/storetest/internal/reference": {ours: []string{"cache"}},
	"invalidation":                       {ours: []string{"cache", "internal/distinct", "internal/contain", "internal/validkey", "internal/doubt", "internal/tagname"}},
	"memstore":                           {ours: []string{"cache", "internal/contain", "internal/meter", "internal/validkey", "invalidation", "internal/tagname"}},
	"redisstore":                         {ours: []string{"cache", "internal/contain", "internal/meter", "internal/validkey", "internal/waitgraph", "invalidation", "internal/tagname"}},
	"aside":                              {ours: []string{"cache", "invalidation", "internal/distinct", "internal/flight", "internal/contain", "internal/meter", "internal/validkey", "internal/tagname"}},
	"writethrough":                       {ours: []string{"cache", "invalidation", "internal/distinct", "internal/contain", "internal/meter", "internal/validkey", "internal/tagname", "internal/doubt"}},
	"codec/cbor":                         {ours: []string{"cache"}},
	"codec/compress":                     {ours: []string{"cache"}},
	"otelcache":                          {ours: []string{"cache"}},
	"promcache":                          {ours: []string{"cache"}},
	"internal/clock":                     {standardOnly: true},
	"internal/contain":                   {ours: []string{"cache"}},
	"internal/distinct":                  {standardOnly: true},
	"internal/doubt":                     {ours: []string{"cache", "internal/contain"}, standardOnly: true},
	"internal/flight":                    {ours: []string{"cache", "internal/waitgraph"}},
	"internal/meter":                     {ours: []string{"cache", "internal/contain"}},
	"internal/mutants":                   {standardOnly: true},
	"internal/netfault":                  {standardOnly: true},
	"internal/redisproc":                 {},
	"internal/releasecheck":              {standardOnly: true},
	"internal/tagname":                   {standardOnly: true},
	"sqltx":                              {ours: []string{"cache", "internal/doubt"}, standardOnly: true},
	"internal/redistest":                 {ours: []string{"internal/redisproc"}},
	"internal/validkey":                  {ours: []string{"cache"}},
	"internal/waitgraph":                 {standardOnly: true},
}

// programs are the modules that may import all of ours, and are not imported.
var programs = []string{"benchmarks", "cmd/larder", "codec/compare", "examples/shop", "internal/pgtest"}

const (
	maxLines     = 400
	maxTestLines = 600
	modulesFile  = "scripts/modules.txt"
)

// forTests are the packages that may link the package testing.
var forTests = []string{"internal/redistest", "cache/storetest", "cache/cachetest", "cmd/larder/internal/scenariotest"}

// emptyNames say nothing about what is inside.
var emptyNames = []string{"util", "utils", "common", "types", "helper", "helpers"}

// pkg is a package as go list shows it.
type pkg struct {
	ImportPath, Name, Doc string
	GoFiles, CgoFiles     []string
	Imports, Deps         []string
	Module                struct{ Path string }
	Error                 *struct{ Err string }
}

// room returns the path of the package below that of the module.
func (p pkg) room() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

// hasCode is false for a directory of tests only.
func (p pkg) hasCode() bool { return len(p.GoFiles)+len(p.CgoFiles) > 0 }

// source is a Go file.
type source struct{ path, text string }

func (s source) isTest() bool { return strings.HasSuffix(s.path, "_test.go") }

// imports checks the direction of the imports. Files of tests are free.
func imports(p pkg) (problems []string) {
	if !p.hasCode() || slices.Contains(programs, strings.TrimPrefix(p.Module.Path, module+"/")) {
		return nil
	}
	room, known := rooms[p.room()]
	if !known {
		return []string{fmt.Sprintf("%s is not in the table of rooms in house_test.go: add it, with what it may import", p.room())}
	}
	for _, path := range p.Imports {
		ours, isOurs := strings.CutPrefix(path, module+"/")
		first, _, _ := strings.Cut(path, "/")
		switch {
		case isOurs && !slices.Contains(room.ours, ours):
			problems = append(problems, fmt.Sprintf("%s may not import %s", p.room(), ours))
		case !isOurs && room.standardOnly && strings.Contains(first, "."):
			problems = append(problems, fmt.Sprintf("%s may only import the standard library, not %s", p.room(), path))
		}
	}
	return problems
}

// links checks that no program gets the flags of go test.
func links(p pkg) (problems []string) {
	if !p.hasCode() || slices.Contains(forTests, p.room()) {
		return nil
	}
	if slices.ContainsFunc(p.Deps, func(d string) bool { return d == "testing" || strings.HasPrefix(d, "testing/") }) {
		problems = append(problems, fmt.Sprintf("%s links the package testing", p.ImportPath))
	}
	return problems
}

// names checks that the name of a package says something.
func names(p pkg) (problems []string) {
	for _, name := range []string{p.Name, path.Base(p.ImportPath)} {
		if slices.Contains(emptyNames, name) {
			return []string{fmt.Sprintf("%s: the name %s says nothing", p.ImportPath, name)}
		}
	}
	return nil
}

// docs checks that a package says what it is.
func docs(p pkg) (problems []string) {
	if p.hasCode() && strings.TrimSpace(p.Doc) == "" {
		return []string{fmt.Sprintf("%s has no package comment", p.ImportPath)}
	}
	return nil
}

// length checks that a file is one that can be read in one go.
func length(s source) (problems []string) {
	limit := maxLines
	if s.isTest() {
		limit = maxTestLines
	}
	if n := strings.Count(s.text, "\n"); n > limit {
		return []string{fmt.Sprintf("%s has %d lines, more than %d", s.path, n, limit)}
	}
	return nil
}

// fileName checks for names that look like tests of a platform.
func fileName(s source) (problems []string) {
	if ok, _ := path.Match("*_test_*.go", path.Base(filepath.ToSlash(s.path))); ok {
		return []string{fmt.Sprintf("%s: _test comes last or not at all", s.path)}
	}
	return nil
}

// skips checks that a run that passes has tested everything.
func skips(s source) (problems []string) {
	file, fset, err := s.parse()
	if err != nil {
		return []string{err.Error()}
	}
	if !slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == strconv.Quote("testing") }) {
		return nil
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, sel.Sel.Name) {
			problems = append(problems, fmt.Sprintf("%s: a test may fail but not be skipped", fset.Position(n.Pos())))
		}
		return true
	})
	return problems
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME)\b`)

// finished checks that no comment puts work off.
func finished(s source) (problems []string) {
	file, fset, err := s.parse()
	if err != nil {
		return []string{err.Error()}
	}
	for _, group := range file.Comments {
		for _, c := range group.List {
			if unfinished.MatchString(c.Text) {
				problems = append(problems, fmt.Sprintf("%s: do it, or leave it out", fset.Position(c.Pos())))
			}
		}
	}
	return problems
}

func (s source) parse() (*ast.File, *token.FileSet, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, s.path, s.text, parser.ParseComments|parser.SkipObjectResolution)
	return file, fset, err
}

// requirements checks the modules of the library, as go list -m all shows them,
// against those of an allow-list.
func requirements(list, allowed string) (problems []string) {
	known := map[string]bool{module: true}
	for line := range strings.Lines(allowed) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			known[line] = true
		}
	}
	for line := range strings.Lines(list) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if name != "" && !known[name] {
			problems = append(problems, fmt.Sprintf("%s is not in %s: do without it, or add it there and say why in the change", name, modulesFile))
		}
	}
	return problems
}

func TestTheDirectionOfImports(t *testing.T)            { everyPackage(t, imports) }
func TestNoProgramLinksThePackageTesting(t *testing.T)  { everyPackage(t, links) }
func TestTheNamesOfPackagesSaySomething(t *testing.T)   { everyPackage(t, names) }
func TestEveryPackageHasAComment(t *testing.T)          { everyPackage(t, docs) }
func TestFilesAreShort(t *testing.T)                    { everySource(t, length) }
func TestNoFileNameLooksLikeATestAndIsNot(t *testing.T) { everySource(t, fileName) }
func TestNoTestIsSkipped(t *testing.T)                  { everySource(t, skips) }
func TestNoWorkIsPutOff(t *testing.T)                   { everySource(t, finished) }

func TestTheLibraryRequiresOnlyAllowedModules(t *testing.T) {
	allowed, err := os.ReadFile(modulesFile)
	if err != nil {
		t.Fatal(err)
	}
	list, err := goCommand("GOWORK=off", "list", "-m", "all")
	if err != nil {
		t.Fatal(err)
	}
	report(t, requirements(string(list), string(allowed)))
}

func report(t *testing.T, problems []string) {
	t.Helper()
	for _, p := range problems {
		t.Error(p)
	}
}

func everyPackage(t *testing.T, rule func(pkg) []string) {
	t.Helper()
	list, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		report(t, rule(p))
	}
}

func everySource(t *testing.T, rule func(source) []string) {
	t.Helper()
	list, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		report(t, rule(s))
	}
}

// packages returns those of all modules of the workspace.
var packages = sync.OnceValues(func() (list []pkg, err error) {
	out, err := goCommand("", "list", "-e", "-json=ImportPath,Name,Doc,GoFiles,CgoFiles,Imports,Deps,Module,Error", "work")
	if err != nil {
		return nil, err
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			return nil, err
		}
		if p.Error != nil && p.hasCode() {
			return nil, errors.New(p.Error.Err)
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, errors.New("go list finds no package")
	}
	return list, nil
})

// goCommand runs the go command, with one variable more in its environment.
func goCommand(env string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if env != "" {
		cmd.Env = append(os.Environ(), env)
	}
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, err
}

// sources returns the Go files of all modules, whatever their build constraints.
var sources = sync.OnceValues(func() (list []source, err error) {
	err = filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != "." && (name[0] == '.' || name[0] == '_' || slices.Contains([]string{"testdata", "vendor", "larder-out"}, name)) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		list = append(list, source{path, string(text)})
		return err
	})
	if err == nil && len(list) == 0 {
		err = errors.New("there is no Go file")
	}
	return list, err
})

// sample returns a package of the library.
func sample(room string, imports ...string) pkg {
	p := pkg{ImportPath: module + "/" + room, Name: path.Base(room), Doc: "Package sample.", GoFiles: []string{"a.go"}}
	p.Module.Path, p.Imports, p.Deps = module, imports, imports
	return p
}

// within returns a package that is a module of its own.
func within(room string, imports ...string) pkg {
	p := sample(room, imports...)
	p.Module.Path = p.ImportPath
	return p
}

// TestEachRuleCanFail gives each rule something bad, and something like it that
// is good.
func TestEachRuleCanFail(t *testing.T) {
	const testFile = "package p_test\n\nimport \"testing\"\n\n"
	undocumented, onlyTests := sample("memstore"), sample("elsewhere", module+"/cache")
	undocumented.Doc, onlyTests.GoFiles = "", nil
	renamed := sample("memstore")
	renamed.Name = "common"
	lines := func(n int) string { return strings.Repeat("\n", n) }
	for _, c := range []struct {
		rule string
		got  []string
		bad  bool
	}{
		{"imports: ours", imports(sample("aside", module+"/redisstore")), true},
		{"imports: ours, allowed", imports(sample("aside", "context", module+"/cache", module+"/internal/flight")), false},
		{"imports: cache, others'", imports(sample("cache", "github.com/redis/go-redis/v9")), true},
		{"imports: cache, standard", imports(sample("cache", "encoding/json")), false},
		{"imports: cache, ours", imports(sample("cache", module+"/invalidation")), true},
		{"imports: flight", imports(sample("internal/flight", module+"/aside")), true},
		{"imports: unknown", imports(sample("elsewhere")), true},
		{"imports: a codec, ours", imports(within("codec/cbor", module+"/redisstore")), true},
		{"imports: a codec, allowed", imports(within("codec/cbor", module+"/cache", "github.com/fxamacker/cbor/v2")), false},
		{"imports: an unknown module", imports(within("codec/elsewhere", module+"/cache")), true},
		{"imports: a program", imports(within("codec/compare", module+"/redisstore")), false},
		{"imports: tests only", imports(onlyTests), false},
		{"links", links(sample("aside", "context", "testing")), true},
		{"links: below testing", links(sample("aside", "testing/fstest")), true},
		{"links: for tests", links(sample("internal/redistest", "testing")), false},
		{"names: path", names(sample("internal/util")), true},
		{"names: clause", names(renamed), true},
		{"names: good", names(sample("internal/utility")), false},
		{"docs", docs(undocumented), true},
		{"docs: good", docs(sample("memstore")), false},
		{"length", length(source{"a.go", lines(maxLines + 1)}), true},
		{"length: good", length(source{"a.go", lines(maxLines)}), false},
		{"length: test", length(source{"a_test.go", lines(maxTestLines + 1)}), true},
		{"length: test, good", length(source{"a_test.go", lines(maxTestLines)}), false},
		{"fileName", fileName(source{path: "a/b_test_linux.go"}), true},
		{"fileName: good", fileName(source{path: "a/b_linux_test.go"}), false},
		{"skips", skips(source{"a_test.go", testFile + "func TestA(t *testing.T) { t.Skip(1) }"}), true},
		{"skips: in passing", skips(source{"a_test.go", testFile + "func f(tb testing.TB) { g(tb.SkipNow) }"}), true},
		{"skips: other", skips(source{"a.go", "package p\n\nfunc f(r reader) { r.Skip(1) }"}), false},
		{"skips: text", skips(source{"a_test.go", testFile + "const s = `t.Skip(1)`"}), false},
		{"skips: broken", skips(source{"a_test.go", "package"}), true},
		{"finished", finished(source{"a.go", "package p\n\n// TODO: all\n"}), true},
		{"finished: in a function", finished(source{"a.go", "package p\n\nfunc f() { /* FIXME */ }\n"}), true},
		{"finished: not a comment", finished(source{"a.go", "package p\n\nvar ctx = context.TODO()\n"}), false},
		{"requirements", requirements("example.com/new v1.0.0\n", "# example.com/new\n"), true},
		{"requirements: good", requirements(module+"\nexample.com/old v1.0.0\n", "# old\n\nexample.com/old\n"), false},
	} {
		if bad := len(c.got) > 0; bad != c.bad {
			t.Errorf("%s: %q", c.rule, c.got)
		}
	}
}
