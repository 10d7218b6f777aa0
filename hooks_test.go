package larder_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hooks are the functions of the user's that the library calls, and interfaces that the
// user may implement, with the tests that throw panics at them. A function that is new is
// not forgotten: TestHooks_EachHasATest finds it.
var hooks = map[string][]string{
	"aside.New(load)":                        {"aside: TestAPanicOrGoexitIsAnErrorAndWedgesNothing"},
	"aside.NewBatch(load)":                   {"aside: TestAPanicOrGoexitIsAnErrorAndWedgesNothing"},
	"aside.Options.Equal":                    {"aside: TestHooks_EqualThatPanicsComparesNothing"},
	"aside.Options.KeyTags":                  {"aside: TestHooks_AreNamedAndLeaveNothingBehind", "aside: TestHooks_ATagFunctionThatPanicsForOneKeyOfABatchFailsThatKey"},
	"aside.Options.TTL":                      {"aside: TestHooks_AreNamedAndLeaveNothingBehind"},
	"aside.Options.Tags":                     {"aside: TestHooks_AreNamedAndLeaveNothingBehind", "aside: TestHooks_ATagFunctionThatPanicsForOneKeyOfABatchFailsThatKey"},
	"aside.Sessions":                         {"aside: TestHooks_AStoreOrObserverThatDoesNotReturnLeavesNobodyWaiting"},
	"cache.Cache":                            {"cache: TestTiered_ALevelThatPanicsLeavesNothingHeldInTheOther", "aside: TestHooks_AStoreOrObserverThatDoesNotReturnLeavesNobodyWaiting", "writethrough: TestHooks_AStoreThatPanicsIsOneThatCouldNotBeTold", "invalidation: TestMutate_AStoreThatPanicsIsAnErrorThatNamesItsTarget"},
	"cache.Codec":                            {"redisstore: TestHooks_KeepTheRules", "redisstore: TestHooks_APanicOfACodecIsNamedAndTheValueNotStorable"},
	"cache.Compressor":                       {"redisstore: TestHooks_KeepTheRules"},
	"cache.Fill":                             {"cache: TestTiered_ALevelThatPanicsLeavesNothingHeldInTheOther", "aside: TestHooks_AStoreOrObserverThatDoesNotReturnLeavesNobodyWaiting", "writethrough: TestHooks_AStoreThatPanicsIsOneThatCouldNotBeTold", "invalidation: TestMutate_AStoreThatPanicsIsAnErrorThatNamesItsTarget"},
	"cache.InDoubtError.Decided":             {"writethrough: TestHooks_DecidedThatDoesNotReturnLeavesItToTheTime"},
	"cache.Observer":                         {"aside: TestHooks_AStoreOrObserverThatDoesNotReturnLeavesNobodyWaiting", "memstore: TestHooks_KeepTheRules", "redisstore: TestHooks_KeepTheRules", "redisstore: TestHooks_AnObserverOfASpaceCanEndNothing", "writethrough: TestHooks_AnObserverThatPanicsOrEndsGoroutinesChangesNoWrite", "invalidation: TestMutate_AnObserverThatPanicsOrEndsGoroutinesChangesNothing"},
	"invalidation.Control.RetryRelease(do)":  {"invalidation: TestDomain_ARemoteThatPanicsIsOneThatHasFailed"},
	"invalidation.Domain.Mutate(fn)":         {"invalidation: TestMutateReturnsTheErrorOfTheChangeAndReleases"},
	"invalidation.Domain.Run(fn)":            {"invalidation: TestMutateReturnsTheErrorOfTheChangeAndReleases"},
	"invalidation.Mutation.InDoubt":          {"invalidation: TestMutate_ARuleThatPanicsLeavesTheChangeInDoubt"},
	"invalidation.Remote":                    {"invalidation: TestDomain_ARemoteThatPanicsIsOneThatHasFailed"},
	"memstore.Options.OnEvict":               {"memstore: TestHooks_KeepTheRules", "memstore: TestHooks_OnEvictKeepsNothingFromBeingRemovedByClearAndClose"},
	"memstore.Options.Weight":                {"memstore: TestHooks_KeepTheRules"},
	"redisstore.Inspector.Listen(hear)":      {"redisstore: TestHooks_ListenReturnsWhenItsFunctionDoesNot"},
	"redisstore.StoreOptions.Key":            {"redisstore: TestHooks_KeepTheRules", "redisstore: TestHooks_AKeyWithoutATextIsAnErrorAndTheOthersAreInvalidated"},
	"writethrough.Delete(del)":               {"writethrough: TestAPanicOfTheOriginReleasesTheKeyAndGoesOn"},
	"writethrough.DeleteOptions.InDoubt":     {"writethrough: TestHooks_AnErrorThatCannotBeJudgedLeavesTheWriteInDoubt"},
	"writethrough.DeleteOptions.Invalidates": {"writethrough: TestHooks_OfADelete"},
	"writethrough.Echo(write)":               {"writethrough: TestAPanicOfTheOriginReleasesTheKeyAndGoesOn"},
	"writethrough.New(key)":                  {"writethrough: TestHooks_AfterTheWriteLeaveItCommittedAndNothingHeld", "writethrough: TestHooks_BeforeTheWriteAreItsErrorAndNothingIsDone"},
	"writethrough.New(write)":                {"writethrough: TestAPanicOfTheOriginReleasesTheKeyAndGoesOn"},
	"writethrough.Options.InDoubt":           {"writethrough: TestHooks_AnErrorThatCannotBeJudgedLeavesTheWriteInDoubt"},
	"writethrough.Options.Invalidates":       {"writethrough: TestHooks_AfterTheWriteLeaveItCommittedAndNothingHeld"},
	"writethrough.Options.Tags":              {"writethrough: TestHooks_AfterTheWriteLeaveItCommittedAndNothingHeld"},
	"writethrough.TagInvalidator":            {"writethrough: TestHooks_AStoreThatPanicsIsOneThatCouldNotBeTold"},
}

// harmless are called when nothing is locked and nobody waits: while something is made, or
// by metrics. A cache.Guard is a store's own.
var harmless = []string{"cache.Guard", "cache.Source", "cache.TypeChecker", "redisstore.Unwrapper"}

// hookRooms are the packages in which functions of the user's are taken.
var hookRooms = []string{"cache", "aside", "writethrough", "invalidation", "memstore", "redisstore"}

func TestHooks_EachHasATest(t *testing.T) {
	tests := map[string]bool{}
	found := map[string]bool{}
	for _, room := range hookRooms {
		paths, err := filepath.Glob(filepath.Join(room, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		var files []*ast.File
		for _, path := range paths {
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, "_test.go") {
				for _, d := range f.Decls {
					if fn, ok := d.(*ast.FuncDecl); ok {
						tests[room+": "+fn.Name.Name] = true
					}
				}
				continue
			}
			files = append(files, f)
		}
		for _, f := range files {
			for _, name := range hooksOf(f) {
				found[room+"."+name] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		if len(hooks[name]) == 0 && !slices.Contains(harmless, name) {
			t.Errorf("%s is a function of the user's: say in hooks, of this file, which test throws a panic and a Goexit at it", name)
		}
	}
	for name, all := range hooks {
		if !found[name] {
			t.Errorf("there is no %s", name)
		}
		for _, test := range all {
			if !tests[test] {
				t.Errorf("of %s: there is no test %q", name, test)
			}
		}
	}
}

// hooksOf returns the exported fields, parameters and interfaces of a file that are, or
// have, functions of the user's.
func hooksOf(f *ast.File) (names []string) {
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && (d.Recv == nil || ast.IsExported(receiverOf(d))) {
				prefix := d.Name.Name
				if d.Recv != nil {
					prefix = receiverOf(d) + "." + prefix
				}
				for _, p := range d.Type.Params.List {
					if isHook(p.Type) {
						for _, n := range p.Names {
							names = append(names, prefix+"("+n.Name+")")
						}
					}
				}
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.IsExported() {
					switch typ := ts.Type.(type) {
					case *ast.StructType:
						for _, field := range typ.Fields.List {
							for _, n := range field.Names {
								if n.IsExported() && isHook(field.Type) {
									names = append(names, ts.Name.Name+"."+n.Name)
								}
							}
						}
					case *ast.InterfaceType:
						names = append(names, ts.Name.Name)
					}
				}
			}
		}
	}
	return names
}

// isHook reports whether a type is a function, or several.
func isHook(typ ast.Expr) bool {
	switch typ := typ.(type) {
	case *ast.FuncType:
		return true
	case *ast.Ellipsis:
		return isHook(typ.Elt)
	}
	return false
}

func receiverOf(d *ast.FuncDecl) string {
	name := ""
	ast.Inspect(d.Recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && name == "" {
			name = id.Name
		}
		return name == ""
	})
	return name
}
