package spelling

import (
	"slices"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"keys", "keys", 0}, {"kyes", "keys", 1}, {"key", "keys", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3}} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("from %q to %q it is %d, not %d", c.a, c.b, got, c.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"aside.p50", "aside.p99", "aside.get.service.p99", "l1.p99", "none.throughput"}
	for name, want := range map[string][]string{
		"aside.p98": {"aside.p99", "aside.p50"},
		"asdie.p99": {"aside.p99", "aside.p50"},
		"p99":       {"l1.p99", "aside.p99", "aside.get.service.p99"},
		"zzz":       nil,
	} {
		if got := Nearest(name, names, 3); !slices.Equal(got, want) {
			t.Errorf("nearest to %q are %q, not %q", name, got, want)
		}
	}
	if got := Nearest("aside.p99", names, 1); !slices.Equal(got, []string{"aside.p99"}) {
		t.Errorf("got %q", got)
	}
}
