package bench

import "testing"

func TestRatesAreRoundedToTwoDigits(t *testing.T) {
	for x, want := range map[float64]float64{4376: 4300, 99: 99, 0.123: 0.12, 0: 1} {
		if got := round(x); got < want*0.999 || got > want*1.001 {
			t.Errorf("%v is rounded to %v, not %v", x, got, want)
		}
	}
}
