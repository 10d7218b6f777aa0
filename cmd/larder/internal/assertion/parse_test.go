package assertion

import (
	"errors"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Expression{
		"aside.p99<2ms":                  {Metric: "aside.p99", Operator: Less, Limit: Quantity{2, "ms"}},
		" aside.p99  <=  2.5 µs ":        {Metric: "aside.p99", Operator: AtMost, Limit: Quantity{2.5, "µs"}},
		"aside.hit_ratio >= 95%":         {Metric: "aside.hit_ratio", Operator: AtLeast, Limit: Quantity{95, "%"}},
		"aside.hit_ratio>=95 %":          {Metric: "aside.hit_ratio", Operator: AtLeast, Limit: Quantity{95, "%"}},
		"staleness.after_ack==0":         {Metric: "staleness.after_ack", Operator: Equal, Limit: Quantity{0, ""}},
		"l1.throughput > 5M/s":           {Metric: "l1.throughput", Operator: More, Limit: Quantity{5, "M/s"}},
		"memory.entry!=1KiB":             {Metric: "memory.entry", Operator: NotEqual, Limit: Quantity{1, "KiB"}},
		"x<-1.5e-3":                      {Metric: "x", Operator: Less, Limit: Quantity{-0.0015, ""}},
		"x<.5":                           {Metric: "x", Operator: Less, Limit: Quantity{0.5, ""}},
		"aside.p99 < none.p99*0.5":       {Metric: "aside.p99", Operator: Less, Other: "none.p99", Factor: 0.5},
		"aside.p99 < none.p99 * 5e-1":    {Metric: "aside.p99", Operator: Less, Other: "none.p99", Factor: 0.5},
		"lru.hit_ratio<2q.hit_ratio":     {Metric: "lru.hit_ratio", Operator: Less, Other: "2q.hit_ratio", Factor: 1},
		"2q.hit_ratio>50%":               {Metric: "2q.hit_ratio", Operator: More, Limit: Quantity{50, "%"}},
		"a.p99@workers=4<2s":             {Metric: "a.p99@workers=4", Operator: Less, Limit: Quantity{2, "s"}},
		"a.p99@workers=4==a.p99@value=1": {Metric: "a.p99@workers=4", Operator: Equal, Other: "a.p99@value=1", Factor: 1},
		"write-through.stale==0":         {Metric: "write-through.stale", Operator: Equal},
	} {
		e, err := Parse(text)
		if err != nil || e != want {
			t.Errorf("%q is %+v, %v", text, e, err)
		}
		if again, err := Parse(e.String()); err != nil || again != want {
			t.Errorf("%q is written as %q: %v", text, e, err)
		}
	}
}

func TestSyntaxErrorsSayWhereAndWhat(t *testing.T) {
	for text, c := range map[string]struct {
		position int
		words    string
	}{
		"":                        {1, "it ends where the name of a metric"},
		"<2ms":                    {1, `there is "<2ms" where the name of a metric`},
		"Aside.p99<2ms":           {1, "the name of a metric"},
		"aside.p99":               {10, "it ends where one of < <= > >= == != must be"},
		"aside.p99=2ms":           {10, `there is "=2ms" where one of <`},
		"aside.p99 2ms":           {11, "one of <"},
		"aside.p99@x<1":           {10, "one of <"},
		"aside.p99<":              {11, "it ends where a value"},
		"aside.p99<ß":             {11, "a value"},
		"aside.p99<2parsecs":      {12, "one of the units ns, us, ms"},
		"aside.p99 < 2 KB":        {15, "one of the units"},
		"aside.p99<2q":            {12, "one of the units"},
		"x<2.5q.y":                {6, "one of the units"},
		"aside.p99<2ms 3":         {15, "the end must be"},
		"aside.p99<l1.p99*":       {18, "it ends where a factor"},
		"aside.p99<l1.p99*x":      {18, "a factor"},
		"aside.p99<l1.p99/2":      {17, "* and a factor, or the end, must be"},
		"aside.p99<1e999":         {11, "a number that is not so large"},
		"µ<1":                     {1, "the name of a metric"},
		"x\xff<1":                 {1, "valid text"},
		strings.Repeat("x", 1001): {1, "at most 1000 bytes"},
	} {
		_, err := Parse(text)
		s, ok := errors.AsType[*SyntaxError](err)
		if !ok || s.Position != c.position || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%.30q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"aside.p99<2ms", "a.b@c=1 >= 95 %", "x != y * 0.5", "2q.x<5M/s", "x<-.5e-3", "µ", "x<2 µs", "x==1KiB "} {
		f.Add(s)
	}
	d := &results.Document{}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Parse(text)
		if err != nil {
			if s, ok := errors.AsType[*SyntaxError](err); !ok || s.Position < 1 || s.Position > len(text)+1 || err.Error() == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := Parse(e.String())
		if err != nil || again != e {
			t.Fatalf("%q is written as %q, and read again as %+v: %v", text, e, again, err)
		}
		if s := Judge(d, []Expression{e}); s.Notes[0].Level != results.Fail {
			t.Fatalf("%q holds of nothing", text)
		}
	})
}
