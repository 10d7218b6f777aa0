package simulate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// Source is where a trace comes from.
type Source struct {
	Name string // for people, in one line without anything that steers a terminal
	// Slug names it in metrics and charts: small letters, digits and hyphens.
	Slug string
	// What the trace was made of, if it was.
	Facts []results.Fact
	Open  func(ctx context.Context) (*trace.Trace, error)
}

// File returns the source of the trace in a file, called name for people.
func File(path, name string, o trace.Options) Source {
	base := filepath.Base(path)
	for _, packed := range []string{".gz", ".xz", ".zst"} {
		base = strings.TrimSuffix(base, packed)
	}
	base = strings.TrimSuffix(base, filepath.Ext(base))
	return Source{Name: name, Slug: slug(base), Open: func(ctx context.Context) (*trace.Trace, error) { return trace.Open(ctx, path, o) }}
}

// Generated returns the source of so many requests by a popularity of so many keys. The
// same seed gives the same requests.
func Generated(p workload.Popularity, keys, requests int, seed uint64) Source {
	return Source{
		Name: p.String(), Slug: slug(p.String()),
		Facts: []results.Fact{{Name: "workload", Value: p.String()}, {Name: "keys", Value: fmt.Sprint(keys)}},
		Open: func(ctx context.Context) (*trace.Trace, error) {
			return generate(ctx, p.Open(rand.New(rand.NewPCG(seed, stream)), keys), p.Span(keys, requests), requests)
		},
	}
}

// stream is that of the seed which keys are drawn from.
const stream = 0x51

// generate numbers the keys of a source, which are below span, by first appearance.
func generate(ctx context.Context, keys *workload.KeySource, span, requests int) (*trace.Trace, error) {
	t := &trace.Trace{IDs: make([]uint32, requests)}
	ids := make([]uint32, span) // of keys, from 1
	for i := range t.IDs {
		if i%(1<<16) == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		key := keys.Next()
		if ids[key] == 0 {
			t.Unique++
			ids[key] = uint32(t.Unique)
		}
		t.IDs[i] = ids[key] - 1
	}
	return t, nil
}

var others = regexp.MustCompile(`[^a-z0-9]+`)

func slug(name string) string {
	s := strings.Trim(others.ReplaceAllString(strings.ToLower(name), "-"), "-")
	if s == "" {
		return "trace"
	}
	return s[:min(len(s), 60)]
}

// distinguish gives every source a slug of its own.
func distinguish(sources []Source) {
	taken := map[string]bool{}
	for i := range sources {
		s := sources[i].Slug
		for n := 2; taken[s]; n++ {
			s = fmt.Sprintf("%s-%d", sources[i].Slug, n)
		}
		taken[s] = true
		sources[i].Slug = s
	}
}
