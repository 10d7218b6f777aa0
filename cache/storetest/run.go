package storetest

import (
	"testing"
)

// Run checks every rule that applies as a subtest, each on a Subject of its own
// that open returns empty. Rules run in parallel, except those that lose data.
// What open needs to undo, it gives to t.Cleanup.
func Run(t *testing.T, open func(t testing.TB) Subject) {
	t.Helper()
	kind := open(t)
	if kind.Store == nil {
		t.Fatal("storetest: Subject.Store is nil")
	}
	for _, r := range Rules() {
		if lacks := r.Lacks(kind); lacks != "" {
			t.Logf("%s does not apply: it needs %s", r.Name, lacks)
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			if r.needs&loss == 0 {
				t.Parallel()
			}
			if err := r.Check(t.Context(), open(t)); err != nil {
				t.Error(err)
			}
		})
	}
}
