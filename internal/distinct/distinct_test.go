package distinct

import (
	"slices"
	"testing"
)

func TestRepetitionsGoAndTheOrderStays(t *testing.T) {
	many := make([]int, 0, 3*few)
	var want []int
	for i := range 2 * few {
		many = append(many, i, i/2)
		want = append(want, i)
	}
	for _, c := range []struct{ all, want []int }{
		{nil, nil}, {[]int{}, nil}, {[]int{3, 1, 3, 2, 1}, []int{3, 1, 2}}, {many, want},
	} {
		if got := Of(c.all); !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%v, not %v", got, c.want)
		}
	}
}

func TestTheResultIsASliceOfItsOwn(t *testing.T) {
	all := []string{"a", "b"}
	got := Of(all)
	got[0] = "c"
	if all[0] != "a" {
		t.Error("the caller's slice was changed")
	}
}
