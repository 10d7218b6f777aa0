package tagname

import (
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCheck(t *testing.T) {
	long := strings.Repeat("t", Most)
	for _, good := range [][]string{nil, {"a"}, {"a", " ", "\x00", long}} {
		if err := Check(good...); err != nil {
			t.Errorf("%.40q: %v", good, err)
		}
	}
	for _, c := range []struct {
		tags []string
		says string
	}{{[]string{""}, "empty"}, {[]string{"a", ""}, "empty"}, {[]string{"a", long + "t"}, "4097 bytes"}} {
		if err := Check(c.tags...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40q: %v does not say %q", c.tags, err, c.says)
		}
	}
	if got := Valid([]string{"a", "", "b", long + "t"}); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("valid are %.40q", got)
	}
}
