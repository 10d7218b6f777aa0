// Package waitgraph knows which work of this process waits for which other, and finds the
// waits that would never end.
package waitgraph

import (
	"context"
	"slices"
	"sync"
)

// Work is something under way that may wait for other work, such as a load. All of it is
// guarded by graph. The zero Work waits for nothing.
type Work struct {
	name interface{ Name() string }
	on   []*Target // each as often as it is waited for
}

// Target is what can be waited for: work, which may be followed by other work.
type Target struct {
	work *Work // nil if nothing is under way
	// give is called to end the wait for this target if it can be done without. It is nil
	// if it cannot.
	give  func()
	given bool
}

// graph is one for all, since a cycle may go through all Loaders of a process. Only work
// that is begun within other work takes it for longer than an assignment.
var graph sync.Mutex

type key struct{}

// With returns a context for what w does.
func With(ctx context.Context, w *Work) context.Context { return context.WithValue(ctx, key{}, w) }

// From returns the work that ctx is for, or nil.
func From(ctx context.Context) *Work {
	w, _ := ctx.Value(key{}).(*Work)
	return w
}

// Under says that w, which has a name, is under way for t from now on; nil is nothing.
func (t *Target) Under(w *Work, name interface{ Name() string }) {
	graph.Lock()
	defer graph.Unlock()
	if t.work = w; w != nil {
		w.name = name
	}
}

// Lock returns a target that w is under way for, and for which nobody need wait: give is
// called to end a wait.
func Lock(w *Work, give func()) *Target { return &Target{work: w, give: give} }

// Wait is a wait that was begun.
type Wait struct {
	work   *Work
	target *Target
}

// Begin notes that the work of ctx waits for t from now on, until End. If that waits,
// itself or through others, for this work, nothing is noted and Begin returns the names of
// all in the cycle, of which the last is the first. Waits that can be given up are, before.
// Without work in ctx it does nothing.
func Begin(ctx context.Context, t *Target) (w Wait, cycle []string) {
	work := From(ctx)
	if work == nil {
		return Wait{}, nil
	}
	var gives []func()
	defer func() {
		for _, give := range gives {
			give()
		}
	}()
	graph.Lock()
	defer graph.Unlock()
	for {
		path := find(t, work, nil)
		if path == nil {
			work.on = append(work.on, t)
			return Wait{work, t}, nil
		}
		i := slices.IndexFunc(path, func(t *Target) bool { return t.give != nil })
		if i <= 0 { // there is none, or it is this one
			return Wait{}, names(work, path)
		}
		path[i].given = true
		gives = append(gives, path[i].give)
	}
}

// End ends the wait.
func (w Wait) End() {
	if w.work == nil {
		return
	}
	graph.Lock()
	defer graph.Unlock()
	i := slices.Index(w.work.on, w.target)
	w.work.on = slices.Delete(w.work.on, i, i+1)
}

// find returns the targets from t to work, or nil if t does not wait for it.
func find(t *Target, work *Work, seen map[*Work]bool) []*Target {
	if t.work == nil || t.given || seen[t.work] {
		return nil
	}
	if t.work == work {
		return []*Target{t}
	}
	if seen == nil {
		seen = map[*Work]bool{}
	}
	seen[t.work] = true
	for _, next := range t.work.on {
		if path := find(next, work, seen); path != nil {
			return append([]*Target{t}, path...)
		}
	}
	return nil
}

func names(work *Work, path []*Target) []string {
	out := []string{nameOf(work)}
	for _, t := range path {
		out = append(out, nameOf(t.work))
	}
	return out
}

func nameOf(w *Work) string {
	if w.name == nil {
		return "a load"
	}
	return w.name.Name()
}
