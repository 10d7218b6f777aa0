package storetest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

// Rule is one promise of the contract.
type Rule struct {
	// Name is short and unique, such as "refuse/key".
	Name string
	// Text is the promise, in one sentence.
	Text string
	// Mistake is what the rule's mutant does wrong.
	Mistake string

	bug   reference.Bug
	needs needs
	check func(*probe)
}

// rule needs a mistake to be a rule.
func rule(name, text string, mistake reference.Bug, n needs, check func(*probe)) Rule {
	return Rule{Name: name, Text: text, Mistake: mistake.String(), bug: mistake, needs: n, check: check}
}

// Rules returns all rules.
func Rules() []Rule {
	return slices.Concat(readRules, expiryRules, invalidationRules, refusalRules, fillRules, foundRules, validateRules,
		quarantineRules, writerRules, vouchRules, hookRules, peerRules, lossRules, lifeRules)
}

// Lacks names the fields of s, separated by commas, that the rule needs and s
// does not have. The rule applies if there are none.
func (r Rule) Lacks(s Subject) string { return s.lacks(r.needs) }

// Mutant returns a store that breaks the rule, by making the Mistake.
func (r Rule) Mutant() Subject { return subject(r.bug) }

// ruleTime bounds the check of one rule.
const ruleTime = time.Minute

// Check returns an error that says how s breaks the rule, or nil. The subject
// must be empty and is used up. A rule that does not apply is kept.
func (r Rule) Check(ctx context.Context, s Subject) (err error) {
	if s.Store == nil {
		return fmt.Errorf("%s: Subject.Store is nil", r.Name)
	}
	if r.Lacks(s) != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, ruleTime)
	defer cancel()
	defer func() {
		switch v := recover().(type) {
		case nil:
		case broken:
			err = fmt.Errorf("%s: broken: %s\n\t%w", r.Name, r.Text, v.error)
		default:
			panic(v)
		}
	}()
	r.check(&probe{Subject: s, ctx: ctx})
	return nil
}
