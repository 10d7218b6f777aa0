package spelling

import "testing"

func TestOneIsNoPlural(t *testing.T) {
	for n, want := range map[int]string{0: "0 keys", 1: "1 key", 2: "2 keys"} {
		if got := Plural(n, "key", "keys"); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}
