package redisstore

import (
	"context"
	"iter"
	"slices"
)

// watch is what a fill knows of tags: their versions, and positions in the lists of those that
// were invalidated, all from before the load.
type watch struct {
	space    *Space
	switches int64           // how many there had been when it began: see Space.ask
	names    []string        // of the tags, each once
	known    map[string]bool // names, if they are many
	lanes    map[int]bool    // that are read; true: with the star
	late     bool            // positions are read, for tags that may turn up after the load
	life     int64           // of the versions, in milliseconds, at least

	versions  map[string]string // headers, by tag
	stars     map[int]string    // headers, by lane
	positions map[int]string    // by lane, see lua/late.lua
	orders    []order
}

// order says what the results of one call are.
type order struct {
	lane     int
	position bool
	star     bool
	tags     []string
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

// allLanes asks for the positions of all lanes.
func (w *watch) allLanes() {
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
		o.position = w.late
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
				part.position, part.star = o.position, o.star
			}
			if tags = tags[len(part.tags):]; !yield(part) {
				return
			}
		}
	}
}

// tagVersions returns the call that reads, and makes if need be, what o names, and
// lets the versions live for so many milliseconds at least. With a position, it does so for
// tags that were not invalidated since.
func (s *Space) tagVersions(ctx context.Context, o order, since string, life int64) *call {
	keys := make([]string, 1, 2+len(o.tags))
	keys[0] = s.laneKey(o.lane)
	if o.star {
		keys = append(keys, s.starKey(o.lane))
	}
	for _, t := range o.tags {
		keys = append(keys, s.tagKey(t))
	}
	position := ""
	if o.position {
		position = "wanted"
	}
	args := []any{random(8), s.tagLife.Load(), since, life, position}
	if since != "" {
		for _, t := range o.tags {
			args = append(args, noteOf(t))
		}
	}
	return tagsScript.call(ctx, keys, args...)
}

// take keeps the results of calls.
func (w *watch) take(calls []*call) {
	w.versions, w.stars, w.positions = map[string]string{}, map[int]string{}, map[int]string{}
	for i, o := range w.orders {
		got := calls[i].strings()
		next := func() (s string) {
			if len(got) > 0 {
				s, got = got[0], got[1:]
			}
			return s
		}
		if o.position {
			w.positions[o.lane] = next()
		}
		if o.star {
			w.stars[o.lane] = next()
		}
		for _, t := range o.tags {
			w.versions[t] = next()
		}
	}
}

// learn reads the versions of tags that were not known before the load. A tag that was
// invalidated since, or of which that cannot be told, gets none: its version says nothing.
func (w *watch) learn(ctx context.Context, tags []string) error {
	byLane, seen := map[int]*order{}, map[string]bool{}
	for _, t := range tags {
		lane := w.space.lane(t)
		if _, known := w.versions[t]; known || seen[t] || w.positions[lane] == "" {
			continue
		}
		if byLane[lane] == nil {
			byLane[lane] = &order{lane: lane}
		}
		seen[t] = true
		byLane[lane].tags = append(byLane[lane].tags, t)
	}
	if len(byLane) == 0 {
		return nil
	}
	var calls []*call
	var orders []order
	var err error
	for lane, o := range byLane {
		if err1 := w.space.servers.refuses(ctx, w.space, w.space.laneKey(lane)); err1 != nil {
			err = err1
			continue
		}
		for part := range o.parts() {
			orders = append(orders, part)
			calls = append(calls, w.space.tagVersions(ctx, part, w.positions[lane], w.life))
		}
	}
	if err1 := w.space.run(ctx, calls...); err1 != nil {
		err = err1
	}
	for i, o := range orders {
		if got := calls[i].strings(); len(got) == len(o.tags) {
			for j, t := range o.tags {
				w.versions[t] = got[j]
			}
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
