package workload

import (
	"strings"
	"testing"
)

func TestEveryFormIsRead(t *testing.T) {
	for _, form := range PopularityForms {
		text := strings.NewReplacer("SKEW", "0.9", "PERCENT", "20", "EVERY", "50", "SHARE", "0.3").Replace(form)
		if _, err := ParsePopularity(text); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}
