package policy

import (
	"slices"
	"testing"
)

func TestEntriesOf(t *testing.T) {
	for _, c := range []struct {
		list   string
		unique int
		want   []int
	}{
		{CustomaryCapacities, 186_880, []int{1868, 9344, 18688, 46720}},
		{CustomaryCapacities, 1_011, []int{100, 101, 252}},
		{CustomaryCapacities, 3, []int{100}},
		{"1000, 5,5%,1000", 10_000, []int{5, 500, 1000}},
		{"0.1%,12.3456%", 1_000_000, []int{1000, 123_456}},
		{"100%", 2_147_483_647, []int{2_147_483_647}},
	} {
		all, err := ParseCapacities(c.list)
		if err != nil {
			t.Fatalf("%s: %v", c.list, err)
		}
		if got := EntriesOf(all, c.unique); !slices.Equal(got, c.want) {
			t.Errorf("%s of %d = %v, want %v", c.list, c.unique, got, c.want)
		}
	}
}

func TestParseCapacitiesFaults(t *testing.T) {
	for _, list := range []string{"", ",", "1%,", "0", "-1", "x", "0%", "101%", "-5%", "nan%", "inf%", "%", "0.00001%", "1.5", "99999999999"} {
		if all, err := ParseCapacities(list); err == nil {
			t.Errorf("%q was read as %v", list, all)
		}
	}
}
