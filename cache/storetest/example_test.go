package storetest_test

import (
	"context"
	"fmt"

	"github.com/larder-cache/larder/cache/storetest"
)

func ExampleRules() {
	ctx := context.Background()
	for _, r := range storetest.Rules() {
		if r.Name != "refuse/key" {
			continue
		}
		fmt.Println(r.Text)
		fmt.Println("the reference:", r.Check(ctx, storetest.Reference()))
		fmt.Println("if", r.Mistake+":", r.Check(ctx, r.Mutant()) != nil)
	}
	// Output:
	// Commit refuses after the key was invalidated, also if it had no value.
	// the reference: <nil>
	// if Invalidate of a key without a value does nothing: true
}
