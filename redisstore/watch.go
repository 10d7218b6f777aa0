package redisstore

import (
	"context"
	"slices"
)

// watch is what a fill knows of tags: their versions and the tails of their
// lanes, all from before the load.
type watch struct {
	space *Space
	names []string     // of the tags
	lanes map[int]bool // whose tails are read; true: and the star

	versions map[string]string // headers, by tag
	stars    map[int]string    // headers, by lane
	tails    map[int]string    // by lane
	orders   []order
}

// order says what the results of one call are.
type order struct {
	lane int
	star bool
	tags []string
}

func (w *watch) watch(tags []string) {
	for _, t := range tags {
		if !slices.Contains(w.names, t) {
			w.names = append(w.names, t)
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

// allLanes asks for the tails of all lanes, for tags that may turn up late.
func (w *watch) allLanes() {
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
		w.orders = append(w.orders, *o)
		calls = append(calls, w.space.tagVersions(ctx, *o, ""))
	}
	return calls
}

// tagVersions returns the call that reads, and makes if need be, what o names.
func (s *Space) tagVersions(ctx context.Context, o order, tail string) *call {
	keys := make([]string, 1, 2+len(o.tags))
	keys[0] = s.laneKey(o.lane)
	if o.star {
		keys = append(keys, s.starKey(o.lane))
	}
	for _, t := range o.tags {
		keys = append(keys, s.tagKey(t))
	}
	return tagsScript.call(ctx, keys, random(8), s.tagLife.Load(), tail)
}

// take keeps the results of calls.
func (w *watch) take(calls []*call) {
	w.versions, w.stars, w.tails = map[string]string{}, map[int]string{}, map[int]string{}
	for i, o := range w.orders {
		got := calls[i].strings()
		if len(got) == 0 {
			continue
		}
		w.tails[o.lane], got = got[0], got[1:]
		if o.star && len(got) > 0 {
			w.stars[o.lane], got = got[0], got[1:]
		}
		for j, t := range o.tags {
			if j < len(got) {
				w.versions[t] = got[j]
			}
		}
	}
}

// late learns the versions of tags that were not known before the load. A lane
// in which any tag was invalidated since the load began says nothing of its own:
// there those of our tags may be among them.
func (w *watch) late(ctx context.Context, tags []string) error {
	byLane := map[int]*order{}
	for _, t := range tags {
		lane := w.space.lane(t)
		if _, known := w.versions[t]; known || w.tails[lane] == "" {
			continue
		}
		if byLane[lane] == nil {
			byLane[lane] = &order{lane: lane}
		}
		if o := byLane[lane]; !slices.Contains(o.tags, t) {
			o.tags = append(o.tags, t)
		}
	}
	if len(byLane) == 0 {
		return nil
	}
	var calls []*call
	var orders []*order
	for _, o := range byLane {
		orders = append(orders, o)
		calls = append(calls, w.space.tagVersions(ctx, *o, w.tails[o.lane]))
	}
	err := w.space.run(ctx, calls...)
	for i, o := range orders {
		got := calls[i].strings()
		if len(got) != 1+len(o.tags) || got[0] != w.tails[o.lane] {
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
	v := &view{space: w.space, keys: keys, raws: raws, read1: len(keys), stars: make([]string, w.space.lanes)}
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
