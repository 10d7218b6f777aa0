package simulate

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/larder-cache/larder/cmd/larder/internal/policy"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// of returns a source of a trace.
func of(name string, t *trace.Trace) Source {
	return Source{Name: name, Slug: slug(name), Open: func(context.Context) (*trace.Trace, error) { return t, nil }}
}

// everything is a trace with all columns.
func everything() *trace.Trace {
	return &trace.Trace{
		IDs:    []uint32{0, 1, 0, 1, 2, 0, 1},
		Unique: 3, Format: "made up", Compression: trace.Gzip,
		Sizes: []uint32{10, 20, 10, 20, 30, 10, 20},
		Times: []uint32{0, 1, 2, 3, 4, 5, 6},
		TTLs:  []uint32{9, 1, 9, 9, 9, 9, 9},
		Ops:   []trace.Op{trace.Write, trace.Read, trace.Read, trace.Read, trace.Read, trace.Read, trace.Read},
	}
}

func capacities(t *testing.T, list string, bytes bool) []policy.Capacity {
	t.Helper()
	all, err := policy.ParseCapacities(list, bytes)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func document(t *testing.T, o Options, sources ...Source) *results.Document {
	t.Helper()
	d := &results.Document{Schema: results.Schema}
	for _, f := range Start(t.Context(), sources, o).Outcomes {
		<-f.Done()
		if f.Err != nil {
			t.Fatal(f.Err)
		}
		d.Sections = append(d.Sections, f.Section())
	}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSectionByBytesWithExpiry(t *testing.T) {
	d := document(t, Options{Options: policy.Options{Bytes: true}, Capacities: capacities(t, "60,1000", true)}, of("all of it", everything()))
	s := d.Sections[0]
	if len(s.Charts) != 2 || s.Charts[1].ID != "byte-hits-all-of-it" || s.Charts[0].X.Unit != results.Bytes || len(s.Tables) != 2 {
		t.Fatalf("the section is %+v", s)
	}
	// 1 has expired at 3, so there are hits at 2, 5 and 6.
	for name, want := range map[string]float64{"lru.hit_ratio": 3. / 6, "memstore.byte_hit_ratio": 40. / 110, "bound.hit_ratio": 3. / 6} {
		if m, ok := d.Metric("simulate.all-of-it." + name + "@capacity=1000"); !ok || m.Value() != want || m.Unit != results.Ratio {
			t.Errorf("%s is %+v, want %v", name, m, want)
		}
	}
	if m, _ := d.Metric("simulate.all-of-it.bound.hit_ratio@capacity=60"); m.Better != "" {
		t.Errorf("a better bound is said to be %s", m.Better)
	}
	facts := []results.Fact{{Name: "trace", Value: "all of it"}, {Name: "format", Value: "made up in gzip"},
		{Name: "requests", Value: "7, of them 6 reads, 3 unique keys"}, {Name: "bytes", Value: "60 B of all objects, 110 B read"}, {Name: "expiry", Value: "in the time of the trace"}}
	if !slices.Equal(s.Facts, facts) {
		t.Errorf("the facts are %+v", s.Facts)
	}
	if s.Tables[0].Columns[5] != "bound" || s.Tables[0].Rows[1][0] != "1.00 kB" || !strings.Contains(s.Notes[0].Text, "exponential") {
		t.Errorf("the table is %+v, the notes %+v", s.Tables[0], s.Notes)
	}
}

func TestObjectsWithoutASizeAreSaid(t *testing.T) {
	tr := everything()
	tr.Sizes[3] = 0
	d := document(t, Options{Options: policy.Options{Bytes: true}, Capacities: capacities(t, "60", true)}, of("x", tr), of("y", everything()))
	if n := d.Sections[0].Notes; len(n) != 2 || n[1].Level != results.Warn || !strings.Contains(n[1].Text, "size of 1 requests") {
		t.Errorf("the notes are %+v", n)
	}
	if n := d.Sections[1].Notes; len(n) != 1 {
		t.Errorf("the notes are %+v", n)
	}
}

func TestSectionOfEntries(t *testing.T) {
	o := Options{Options: policy.Options{IgnoreTTL: true}, Capacities: capacities(t, "3", false)}
	d := document(t, o, of("a", everything()), of("A", everything()))
	for _, name := range []string{"simulate.a.optimum.hit_ratio@capacity=3", "simulate.a-2.lru.hit_ratio@capacity=3"} {
		if m, ok := d.Metric(name); !ok || m.Value() != 4./6 {
			t.Errorf("%s is %+v", name, m)
		}
	}
	o.IgnoreTTL = false
	if m, ok := document(t, o, of("a", everything())).Metric("simulate.a.bound.hit_ratio@capacity=3"); !ok || m.Value() != 3./6 {
		t.Errorf("the bound is %+v", m)
	}
}

func TestGeneratedRequestsAreThoseOfTheSeed(t *testing.T) {
	p := workload.Popularity{Shape: workload.Zipfian, Skew: 0.99, OneHit: 0.2}
	ids := func(seed uint64) *trace.Trace {
		tr, err := Generated(p, 1000, 10_000, seed).Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return tr
	}
	first, again := ids(1), ids(1)
	if len(first.IDs) != 10_000 || !slices.Equal(first.IDs, again.IDs) || slices.Equal(first.IDs, ids(2).IDs) {
		t.Error("the seed does not decide")
	}
	known := 0
	for i, id := range first.IDs {
		if int(id) > known {
			t.Fatalf("request %d is of %d, but %d ids are known", i, id, known)
		}
		known = max(known, int(id)+1)
	}
	if known != first.Unique || known < 2000 {
		t.Errorf("%d ids, said to be %d", known, first.Unique)
	}
}

func TestFaultsNameTheTrace(t *testing.T) {
	f := Start(t.Context(), []Source{of("some", &trace.Trace{IDs: []uint32{0}, Unique: 1})}, Options{Options: policy.Options{Bytes: true}}).Outcomes[0]
	<-f.Done()
	if e, ok := errors.AsType[*trace.Error](f.Err); !ok || e.File != "some" || !f.Complete() {
		t.Errorf("the error is %v", f.Err)
	}
}

func TestInterruptedWork(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := Start(ctx, []Source{Generated(workload.Popularity{}, 10, 10, 1), of("b", everything())}, Options{Capacities: capacities(t, "5", false)})
	for _, f := range s.Outcomes {
		<-f.Done()
		if !errors.Is(f.Err, context.Canceled) {
			t.Errorf("%s: %v", f.Name, f.Err)
		}
	}
}

func TestReadingCountsAllThereIsToDo(t *testing.T) {
	s := Start(t.Context(), []Source{of("a", everything()), of("b", everything())}, Options{Capacities: capacities(t, "2,3", false)})
	for _, f := range s.Outcomes {
		<-f.Done()
	}
	if r := s.Reading(); r.Done != 2*7*5*2 || r.Of != r.Done {
		t.Errorf("%+v", r)
	}
	s.unread.Store(1) // as if one were not read
	s.planned.Store(70)
	if r := s.Reading(); r.Of != 140 {
		t.Errorf("two traces of which one has 70 requests are expected to have %d", r.Of)
	}
}

func TestSlugs(t *testing.T) {
	for path, want := range map[string]string{
		"/x/oltp.lis.gz": "oltp", "2_pools.trc": "2-pools", "corda_vaultservice.gz": "corda-vaultservice",
		"cluster52.sort.zst": "cluster52", "…": "trace", ".gz": "trace", "UPPER": "upper", "x.xz": "x",
	} {
		if got := File(path, path, trace.Options{}).Slug; got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	sources := []Source{{Slug: "a"}, {Slug: "a-2"}, {Slug: "a"}, {Slug: "a"}}
	distinguish(sources)
	if got := []string{sources[0].Slug, sources[1].Slug, sources[2].Slug, sources[3].Slug}; !slices.Equal(got, []string{"a", "a-2", "a-3", "a-4"}) {
		t.Errorf("the slugs are %v", got)
	}
}
