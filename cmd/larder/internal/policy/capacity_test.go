package policy

import (
	"slices"
	"testing"
)

func TestAmounts(t *testing.T) {
	for _, c := range []struct {
		list          string
		bytes         bool
		whole, unique int64
		want          []int64
	}{
		{"1%,5%,10%,25%", false, 186_880, 186_880, []int64{1868, 9344, 18688, 46720}},
		{"1%,5%,10%,25%", false, 1_011, 1_011, []int64{100, 101, 252}},
		{"1%,5%", false, 3, 3, []int64{100}},
		{"1000, 5,5%,1000", false, 10_000, 10_000, []int64{5, 500, 1000}},
		{"0.1%,12.3456%", false, 1_000_000, 1_000_000, []int64{1000, 123_456}},
		{"100%", false, 2_147_483_647, 2_147_483_647, []int64{2_147_483_647}},
		{"0.1%,50%", true, 1_000_000, 10_000, []int64{10_000, 500_000}},
		{"1%,64kB,2MiB,7,3GB", true, 1 << 62, 1 << 31, []int64{7, 64_000, 2 << 20, 3_000_000_000, 1 << 62 / 100}},
	} {
		all, err := ParseCapacities(c.list, c.bytes)
		if err != nil {
			t.Fatalf("%s: %v", c.list, err)
		}
		got, table := amountsOf(all, c.whole, c.unique)
		if !slices.Equal(got, c.want) || !slices.Equal(table, got) {
			t.Errorf("%s of %d = %v, table %v, want %v", c.list, c.whole, got, table, c.want)
		}
	}
}

func TestAutoMakesACurveOfWhichATableShowsAPart(t *testing.T) {
	all, err := ParseCapacities("auto,77", false)
	if err != nil {
		t.Fatal(err)
	}
	amounts, table := amountsOf(all, 1_000_000, 1_000_000)
	if want := []int64{77, 1000, 10_000, 50_000, 100_000, 250_000}; !slices.Equal(table, want) {
		t.Errorf("the table has %v, want %v", table, want)
	}
	if len(amounts) != 23 || amounts[1] != 100 || amounts[22] != 300_000 {
		t.Errorf("the curve has %v", amounts)
	}
	for _, n := range table {
		if !slices.Contains(amounts, n) {
			t.Errorf("%d is in the table but not in the curve", n)
		}
	}
	if amounts, _ := amountsOf(all, 20, 20); !slices.Equal(amounts, []int64{10, 77}) {
		t.Errorf("of 20 keys: %v", amounts)
	}
}

func TestParseCapacitiesFaults(t *testing.T) {
	for _, list := range []string{"", ",", "1%,", "0", "-1", "x", "0%", "101%", "-5%", "nan%", "inf%", "%", "0.00001%", "1.5", "99999999999", "1kB"} {
		if all, err := ParseCapacities(list, false); err == nil {
			t.Errorf("%q was read as %v", list, all)
		}
	}
	for _, list := range []string{"", "0", "B", "1.5kB", "1kiB", "1BB", "-1", "9999999TiB", "101%"} {
		if all, err := ParseCapacities(list, true); err == nil {
			t.Errorf("%q by bytes was read as %v", list, all)
		}
	}
}

func FuzzParseCapacities(f *testing.F) {
	for _, list := range []string{"auto", "1000,5%", "64kB,1GiB", "0.0001%"} {
		f.Add(list, true)
		f.Add(list, false)
	}
	f.Fuzz(func(t *testing.T, list string, bytes bool) {
		all, err := ParseCapacities(list, bytes)
		if err != nil {
			return
		}
		amounts, table := amountsOf(all, 1<<40, 1000)
		if len(amounts) == 0 || len(table) == 0 || amounts[0] < 1 {
			t.Fatalf("%q: %v, %v", list, amounts, table)
		}
	})
}
