package validkey

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/larder-cache/larder/cache"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type pair struct {
	Name string
	Any  any
}

func TestCheck_KeysOfTypesThatAreAlwaysEqualToThemselvesCostNothing(t *testing.T) {
	if Check[string]() != nil || Check[int]() != nil || Check[[16]byte]() != nil || Check[*float64]() != nil ||
		Check[struct {
			A string
			B [2]int
		}]() != nil || Check[chan any]() != nil {
		t.Error("a key that cannot be invalid is checked")
	}
}

func TestCheck_FindsWhatNoMapCanHold(t *testing.T) {
	nan := math.NaN()
	anyKey, floats, pairs := Check[any](), Check[float64](), Check[pair]()
	for name, err := range map[string]error{
		"a slice":               anyKey([]int{1}),
		"a map":                 anyKey(map[string]int{}),
		"a func":                anyKey(func() {}),
		"NaN":                   floats(nan),
		"NaN in an interface":   anyKey(nan),
		"a complex NaN":         Check[complex128]()(complex(1, nan)),
		"NaN in an array":       Check[[2]float32]()([2]float32{0, float32(nan)}),
		"a slice in a struct":   pairs(pair{"a", []int{}}),
		"a slice, deeper":       anyKey(pair{"a", pair{"b", []int{}}}),
		"NaN deeper":            anyKey([1]any{pair{"b", nan}}),
		"a slice in an pointer": anyKey(struct{ P []int }{}),
	} {
		if !errors.Is(err, cache.ErrInvalidKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"nil": anyKey(nil), "a string": anyKey("a"), "a pointer": anyKey(&pair{}), "a float": floats(1), "infinity": floats(math.Inf(1)),
		"a pair": pairs(pair{"a", 1}), "a pointer to a slice": anyKey(&[]int{}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := anyKey([]int{1}); !strings.Contains(err.Error(), "[]int") {
		t.Errorf("the error does not name the type: %v", err)
	}
	if err := floats(nan); !strings.Contains(err.Error(), "float64") || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("the error does not name the type: %v", err)
	}
}

func TestValid_LeavesOutInvalidKeysAndKeepsTheOrder(t *testing.T) {
	nan := math.NaN()
	got, err := Valid(Check[float64](), []float64{3, nan, 1, nan, 2})
	if !slices.Equal(got, []float64{3, 1, 2}) || !errors.Is(err, cache.ErrInvalidKey) {
		t.Errorf("%v, %v", got, err)
	}
	all := []string{"b", "a"}
	if got, err := Valid(Check[string](), all); err != nil || &got[0] != &all[0] {
		t.Errorf("%v, %v", got, err)
	}
	if err := First(Check[float64](), []float64{1, nan}); !errors.Is(err, cache.ErrInvalidKey) {
		t.Errorf("%v", err)
	}
	if err := First(Check[string](), all); err != nil {
		t.Errorf("%v", err)
	}
}
