package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cache"
)

func TestTheTablesHaveEachCombination(t *testing.T) {
	report, err := tables(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| JSON |", "| JSON and S2 |", "| CBOR |", "| CBOR and Zstandard |", "One user", "A list of 50 users", "go1."} {
		if !strings.Contains(report, want) {
			t.Errorf("there is no %q in\n%s", want, report)
		}
	}
	if n := strings.Count(report, "| 1.00 | 1.00 | 1.00 |"); n < 2 {
		t.Errorf("JSON is not 1 in\n%s", report)
	}
}

func TestTheReportGoesBetweenTheMarks(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.md")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + begin + "old\n" + end + "after\n")
	got, err := insert(file, "new\n")
	if want := "before\n" + begin + "new\n" + end + "after\n"; err != nil || got != want {
		t.Errorf("it is %q, %v, not %q", got, err, want)
	}
	for _, bad := range []string{"", begin, end, end + begin} {
		write(bad)
		if err := run(file, 1); err == nil {
			t.Errorf("%q has no marks, and there is no error", bad)
		}
	}
}

func TestTheDocumentHasTheMarks(t *testing.T) {
	text, err := insert(filepath.Join("..", "..", "docs", "codecs.md"), "")
	if err != nil || text == "" {
		t.Error(err)
	}
}

type wrong struct{ cache.Codec[int] }

func (wrong) Decode([]byte) (int, error) { return 7, nil }

func TestAValueThatComesBackAsAnotherIsAnError(t *testing.T) {
	s := &subject[int]{codec: wrong{cache.JSON[int]()}}
	if err := s.prepare(6); err == nil {
		t.Error("a wrong codec is measured")
	}
}
