package redisstore

import (
	"context"
	"iter"
	"slices"
)

// watch is what a fill knows of tags: their versions and tails, all from before
// the load.
type watch struct {
	space    *Space
	switches int64           // how many there had been when it began: see Space.ask
	names    []string        // of the tags, each once
	known    map[string]bool // names, if they are many
	lanes    map[int]bool    // that are read; true: with the star
	late     bool            // all tails are read, for tags that may turn up after the load
	life     int64           // of the versions, in milliseconds, at least

	versions map[string]string // headers, by tag
	stars    map[int]string    // headers, by lane
	tails    map[tail]string
	orders   []order
}

// tail names one of the tails of a lane. Each is rotated when one of the tags
// that share it is invalidated.
type tail struct{ lane, i int }

// order says what the results of one call are.
type order struct {
	lane  int
	tails []int
	star  bool
	tags  []string
}

func (w *watch) watch(tags []string) {
	for _, t := range tags {
		if w.known == nil && len(w.names) > few {
			w.known = make(map[string]bool, 2*len(w.names))
			for _, n := range w.names {
				w.known[n] = true
			}
		}
		if w.known[t] || w.known == nil && slices.Contains(w.names, t) {
			continue
		}
		w.names = append(w.names, t)
		if w.known != nil {
			w.known[t] = true
		}
	}
}

// star adds the version of everything in the lane of a value's key.
func (w *watch) star(key string) {
	if w.lanes == nil {
		w.lanes = map[int]bool{}
	}
	w.lanes[w.space.lane(key)] = true
}

// allTails asks for all tails of all lanes.
func (w *watch) allTails() {
	w.late = true
	for l := range w.space.lanes {
		w.lanes[l] = w.lanes[l]
	}
}

func (w *watch) calls(ctx context.Context) (calls []*call) {
	byLane := make(map[int]*order)
	at := func(lane int) *order {
		if byLane[lane] == nil {
			byLane[lane] = &order{lane: lane}
		}
		return byLane[lane]
	}
	for l, star := range w.lanes {
		at(l).star = star
	}
	for _, t := range w.names {
		o := at(w.space.lane(t))
		o.tags = append(o.tags, t)
	}
	for _, o := range byLane {
		if !o.star && w.space.servers.refuses(ctx, w.space, w.space.laneKey(o.lane)) != nil {
			continue // what turns out to have such tags is refused
		}
		for i := 0; w.late && i < tailsPerLane; i++ {
			o.tails = append(o.tails, i)
		}
		for part := range o.parts() {
			w.orders = append(w.orders, part)
			calls = append(calls, w.space.tagVersions(ctx, part, "", w.life))
		}
	}
	return calls
}

// parts yields orders of as many tags as one script may touch, which are o together.
func (o order) parts() iter.Seq[order] {
	return func(yield func(order) bool) {
		tags := o.tags
		for first := true; first || len(tags) > 0; first = false {
			part := order{lane: o.lane, tags: tags[:min(len(tags), maxKeys)]}
			if first {
				part.tails, part.star = o.tails, o.star
			}
			if tags = tags[len(part.tags):]; !yield(part) {
				return
			}
		}
	}
}

// tagVersions returns the call that reads, and makes if need be, what o names, and
// lets the versions live for so many milliseconds at least. It does nothing if the first
// tail is not check.
func (s *Space) tagVersions(ctx context.Context, o order, check string, life int64) *call {
	keys := make([]string, 1, 2+len(o.tags))
	keys[0] = s.laneKey(o.lane)
	if o.star {
		keys = append(keys, s.starKey(o.lane))
	}
	for _, t := range o.tags {
		keys = append(keys, s.tagKey(t))
	}
	args := []any{random(8), s.tagLife.Load(), check, life}
	for _, i := range o.tails {
		args = append(args, tailName(i))
	}
	return tagsScript.call(ctx, keys, args...)
}

// take keeps the results of calls.
func (w *watch) take(calls []*call) {
	w.versions, w.stars, w.tails = map[string]string{}, map[int]string{}, map[tail]string{}
	for i, o := range w.orders {
		got := calls[i].strings()
		next := func() (s string) {
			if len(got) > 0 {
				s, got = got[0], got[1:]
			}
			return s
		}
		for _, i := range o.tails {
			w.tails[tail{o.lane, i}] = next()
		}
		if o.star {
			w.stars[o.lane] = next()
		}
		for _, t := range o.tags {
			w.versions[t] = next()
		}
	}
}

// learn reads the versions of tags that were not known before the load. If the
// tail of a tag is not what it was then, the tag may have been invalidated since,
// and its version says nothing.
func (w *watch) learn(ctx context.Context, tags []string) error {
	byTail, seen := map[tail]*order{}, map[string]bool{}
	for _, t := range tags {
		at := w.space.tail(t)
		if _, known := w.versions[t]; known || w.tails[at] == "" {
			continue
		}
		if byTail[at] == nil {
			byTail[at] = &order{lane: at.lane, tails: []int{at.i}}
		}
		if !seen[t] {
			seen[t] = true
			byTail[at].tags = append(byTail[at].tags, t)
		}
	}
	if len(byTail) == 0 {
		return nil
	}
	var calls []*call
	var orders []*order
	var err error
	for at, o := range byTail {
		if err1 := w.space.servers.refuses(ctx, w.space, w.space.laneKey(o.lane)); err1 != nil {
			err = err1
			continue
		}
		for tags := range slices.Chunk(o.tags, maxKeys) {
			part := &order{lane: o.lane, tails: o.tails, tags: tags}
			orders = append(orders, part)
			calls = append(calls, w.space.tagVersions(ctx, *part, w.tails[at], w.life))
		}
	}
	if err1 := w.space.run(ctx, calls...); err1 != nil {
		err = err1
	}
	for i, o := range orders {
		got := calls[i].strings()
		if len(got) != 1+len(o.tags) {
			continue
		}
		for j, t := range o.tags {
			w.versions[t] = got[1+j]
		}
	}
	return err
}

// stamps returns the versions of an entry's lane and tags. ok is false if one of
// them is not known from before the load; quarantined is true if a writer holds
// one of them.
func (w *watch) stamps(key string, tags []string) (star string, stamps []stamp, ok, quarantined bool) {
	version := func(h string) string {
		switch {
		case len(h) == headerSize && h[0] == kindVersion:
			return h[1:]
		case len(h) >= headerSize && h[0] == kindQuarantine:
			quarantined = true
			return h[1:headerSize]
		}
		ok = false
		return ""
	}
	ok = true
	star = version(w.stars[w.space.lane(key)])
	for _, t := range tags {
		stamps = append(stamps, stamp{t, version(w.versions[t])})
	}
	return star, stamps, ok, quarantined
}

// view returns what the watch has read as a view of the given values.
func (w *watch) view(keys, raws []string) *view {
	v := &view{space: w.space, switches: w.switches, keys: keys, raws: raws, read1: len(keys), stars: make([]string, w.space.lanes)}
	for l, h := range w.stars {
		v.stars[l] = h
	}
	v.tags(w.names)
	for i, t := range v.names {
		v.versions[i] = w.versions[t]
	}
	v.readT = len(v.names)
	return v
}
