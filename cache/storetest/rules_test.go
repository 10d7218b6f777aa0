package storetest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

func TestReferenceKeepsEveryRule(t *testing.T) {
	Run(t, func(t testing.TB) Subject {
		s := Reference()
		s.Seed = seed(t)
		return s
	})
}

// A rule whose mutant lives checks nothing.
func TestEveryRuleKillsItsMutant(t *testing.T) {
	var table strings.Builder
	for _, r := range Rules() {
		mutant := r.Mutant()
		mutant.Seed = seed(t)
		if lacks := r.Lacks(mutant); lacks != "" {
			t.Errorf("%s does not apply to its mutant, for it needs %s", r.Name, lacks)
		}
		var err error
		if r.bug == reference.HookHolds { // which is waited for
			synctest.Test(t, func(t *testing.T) { err = r.Check(t.Context(), mutant) })
		} else {
			err = r.Check(t.Context(), mutant)
		}
		if r.bug == reference.CheckThenStore || r.bug == reference.CheckThenStoreOnLoss {
			// Mistakes that do not show in every schedule.
			for n := 0; n < 50 && err == nil; n++ {
				err = r.Check(t.Context(), r.Mutant())
			}
		}
		if err == nil {
			t.Errorf("%s does not notice that %s", r.Name, r.Mistake)
			continue
		}
		if !strings.Contains(err.Error(), r.Name) || !strings.Contains(err.Error(), r.Text) {
			t.Errorf("the error does not say which rule is broken: %v", err)
		}
		fmt.Fprintf(&table, "%-28s kills: %s\n", r.Name, r.Mistake)
	}
	t.Logf("%d rules\n%s", len(Rules()), &table)
}

func TestEveryRuleHasAMistakeOfItsOwn(t *testing.T) {
	names, guarded := map[string]bool{}, map[reference.Bug]string{}
	for _, r := range Rules() {
		switch {
		case r.bug == reference.None:
			t.Errorf("rule %s has no mutant", r.Name)
		case r.Mistake == "" || r.Mistake == reference.None.String():
			t.Errorf("the mistake of %s (%d) is not described", r.Name, r.bug)
		case guarded[r.bug] != "":
			t.Errorf("rules %s and %s have the same mutant", r.Name, guarded[r.bug])
		case names[r.Name] || r.Name == "":
			t.Errorf("there are two rules %q", r.Name)
		case !strings.HasSuffix(r.Text, ".") || strings.Contains(r.Text, "\n"):
			t.Errorf("the text of %s is no sentence: %q", r.Name, r.Text)
		}
		names[r.Name], guarded[r.bug] = true, r.Name
	}
	for _, b := range reference.Bugs() {
		if guarded[b] == "" {
			t.Errorf("no rule guards against the mistake that %s", b)
		}
	}
}

func TestRulesThatDoNotApplyAreKept(t *testing.T) {
	for _, r := range Rules() {
		s := r.Mutant()
		s.Peer, s.InvalidateTags, s.Lose, s.Close = nil, nil, nil, nil
		s.Unstorable, s.Hooks = "", nil
		if lacks := r.Lacks(s); (lacks == "") != (r.needs == nothing) {
			t.Errorf("%s lacks %q but needs %b", r.Name, lacks, r.needs)
		} else if lacks != "" {
			if err := r.Check(t.Context(), s); err != nil {
				t.Errorf("%s lacks %s, and is checked: %v", r.Name, lacks, err)
			}
		}
	}
	s := Reference()
	s.Behind, s.Lose = true, nil
	if got, want := s.lacks(upToDate|loss), "a Store that is not Behind, Lose"; got != want {
		t.Errorf("lacks %q, want %q", got, want)
	}
}

func TestCheckOfNoStoreIsAnError(t *testing.T) {
	if err := Rules()[0].Check(t.Context(), Subject{}); err == nil {
		t.Error("a Subject without a Store keeps the rule")
	}
}

// panics is a store that does.
type panics struct{ cache.Cache[string, string] }

func TestAPanicOfTheStoreIsNotABrokenRule(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the panic did not come through")
		}
	}()
	Rules()[0].Check(t.Context(), Subject{Store: panics{}})
}

// seed returns $LARDER_SEED, or 0.
func seed(t testing.TB) uint64 {
	s := os.Getenv("LARDER_SEED")
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("LARDER_SEED: %v", err)
	}
	return n
}
