package promcache_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/promcache"
	"go.yaml.in/yaml/v2"
)

const docs = "../docs/observability"

var update = flag.Bool("update", false, "write the table of metrics into docs/observability.md")

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

type dashboard struct {
	Templating struct {
		List []struct {
			Name, Type string
			Definition string
			Query      any
		}
	}
	Panels []struct {
		ID          int
		Type, Title string
		Datasource  struct{ UID string }
		Targets     []struct{ Expr, LegendFormat string }
		GridPos     struct{ H, W, X, Y int }
	}
}

func TestTheDashboardShowsWhatIsExported(t *testing.T) {
	x := everything(t)
	var d dashboard
	if err := json.Unmarshal(read(t, docs+"/dashboard.json"), &d); err != nil {
		t.Fatal(err)
	}
	variables := map[string]string{}
	for _, v := range d.Templating.List {
		variables[v.Name] = v.Type
		if v.Type == "query" {
			for _, p := range x.problems(v.Definition) {
				t.Errorf("the variable %s: %s", v.Name, p)
			}
			if q, ok := v.Query.(map[string]any); !ok || q["query"] != v.Definition {
				t.Errorf("the variable %s has two definitions: %q and %v", v.Name, v.Definition, v.Query)
			}
		}
	}
	if want := map[string]string{"datasource": "datasource", "cache": "query"}; !maps.Equal(variables, want) {
		t.Errorf("the variables are %v, want %v", variables, want)
	}
	shown := map[string]bool{}
	ids, places := map[int]bool{}, map[[2]int]bool{}
	for _, p := range d.Panels {
		if at := [2]int{p.GridPos.X, p.GridPos.Y}; ids[p.ID] || places[at] || p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("%s: its id or place is that of another panel, or it is too wide", p.Title)
		}
		ids[p.ID], places[[2]int{p.GridPos.X, p.GridPos.Y}] = true, true
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("%s: it shows nothing, or not of the data source that is chosen", p.Title)
		}
		for _, target := range p.Targets {
			for _, problem := range x.problems(target.Expr, labelsIn(target.LegendFormat)...) {
				t.Errorf("%s: %s: %s", p.Title, target.Expr, problem)
			}
			q, _ := readPromQL(target.Expr)
			for _, s := range q.selectors {
				name, _, _ := x.family(s.name)
				shown[name] = true
				if !slices.Contains(s.matchers, matcher{"cache", "=~", "$cache"}) {
					t.Errorf("%s: %s is of all caches, not of those that are chosen", p.Title, s.name)
				}
			}
		}
	}
	for name := range x.families {
		if !shown[name] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

type alerts struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Record, Alert, Expr, For string
			Labels                   map[string]string
			Annotations              map[string]string
		}
	}
}

func TestTheAlertsUseWhatIsExported(t *testing.T) {
	x := everything(t)
	var a alerts
	if err := yaml.UnmarshalStrict(read(t, docs+"/alerts.yml"), &a); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, g := range a.Groups {
		for _, r := range g.Rules {
			name := r.Record + r.Alert
			text := r.Annotations["summary"] + r.Annotations["description"]
			for _, p := range x.problems(r.Expr, labelsIn(text)...) {
				t.Errorf("%s: %s", name, p)
			}
			if name == "" || names[name] || (r.Record != "") == (r.Alert != "") {
				t.Errorf("there are two rules %q, or it is neither a record nor an alert", name)
			}
			names[name] = true
			if r.Record != "" {
				q, _ := readPromQL(r.Expr)
				x.recorded[r.Record] = q.grouping
				continue
			}
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || !slices.Contains([]string{"warning", "critical"}, r.Labels["severity"]) {
				t.Errorf("%s says too little: %v, %v", name, r.Annotations, r.Labels)
			}
			for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz_", r) }) {
				if _, _, ok := x.family(word); strings.HasPrefix(word, "larder_") && !ok {
					t.Errorf("%s: the text names %s, which nothing exports", name, word)
				}
			}
		}
	}
	for _, want := range []string{"LarderBreakerOpen", "LarderHitRatioDropped", "LarderLoadErrors", "LarderInvalidationLag", "LarderQuarantineLost", "LarderShadowDiffers"} {
		if !names[want] {
			t.Errorf("there is no alert %s", want)
		}
	}
}

const begin, end = "<!-- metrics of promcache: go test ./promcache -update -->\n", "<!-- end -->\n"

// table returns the lines of the table of metrics. Their levels are those at which
// they are there although nothing has happened.
func table(x, empty exported) string {
	var b strings.Builder
	b.WriteString("| metric | type | levels | other labels | what it says |\n|---|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(x.families)) {
		f := x.families[name]
		values := x.values(name)
		label := ""
		for _, l := range slices.Sorted(maps.Keys(values)) {
			if l != "cache" && l != "level" {
				label += fmt.Sprintf("`%s`: %s", l, strings.Join(values[l], ", "))
			}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", name, strings.ToLower(f.GetType().String()),
			strings.Join(empty.values(name)["level"], ", "), label, f.GetHelp())
	}
	return b.String()
}

func TestTheTableOfMetricsIsComplete(t *testing.T) {
	const page = docs + ".md"
	text, want := string(read(t, page)), table(everything(t), exported{families: gather(t, promcache.New("users", idle()...))})
	before, rest, found := strings.Cut(text, begin)
	got, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", page)
	}
	switch {
	case got == want:
	case *update:
		if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the table in %s is not that of the metrics: run go test ./promcache -update.\n%s", page, want)
	}
}
