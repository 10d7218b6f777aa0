package redisstore

import (
	"cmp"
	"context"
	"sync"

	"github.com/larder-cache/larder/invalidation"
	"github.com/redis/go-redis/v9"
)

// view is what one operation has read of Redis: values and the versions of
// tags, all read after the operation began. That the reads are not one atomic
// step, nor in any order, does no harm: versions never come back.
type view struct {
	space *Space
	keys  []string // of values
	raws  []string // "" for what is not there
	stars []string // versions of the lanes, by lane; empty if they were not asked for
	// tags that were asked for, with their versions
	names    []string
	versions []string
	index    map[string]int // of names, if they are many

	// watches of the values, from before they were read
	watches []invalidation.Watch

	gathers bool          // may go with the reads of others
	read1   int           // values that have been asked for
	readT   int           // tags that have been asked for
	partial bool          // what can be read is of use, although something cannot
	lost    map[dest]bool // could not be read
	left    bool          // somebody else may still write to what was asked for
	// switches is how many there had been when it began: all must come from one server
	switches int64
	void     bool // it does not

	parsed []parsed // values, by place
	stamps []stamp
	reads  []lookup // of the last plan
	dests  []dest

	hints    []*hint   // of the values
	asks     []*ask    // with their memory
	replies  []*reply  // that raws, stars and versions are parts of
	question *question // that has the keys of the last plan, on a single server
}

// parsed is a value that was taken apart.
type parsed struct {
	envelope
	done bool
	err  error
}

// views are used again, as a read costs little but the memory that it takes.
var views = sync.Pool{New: func() any { return new(view) }}

// newView returns a view that has asked for nothing.
func newView(s *Space) *view {
	v := views.Get().(*view)
	v.space, v.switches = s, s.switches.Load()
	return v
}

// largeView is how many values a view had that is not kept.
const largeView = 1000

// release ends the use of a view, and of all that was read: whoever keeps some of it
// has made a copy.
func (v *view) release() {
	if v.left {
		return
	}
	for _, r := range v.replies {
		r.done()
	}
	for _, a := range v.asks {
		a.about(nil)
	}
	if cap(v.keys) > largeView || cap(v.names) > largeView {
		return
	}
	*v = view{
		keys: empty(v.keys), raws: empty(v.raws), stars: empty(v.stars), names: empty(v.names), versions: empty(v.versions),
		watches: empty(v.watches), parsed: empty(v.parsed), stamps: empty(v.stamps),
		reads: empty(v.reads), dests: v.dests[:0], hints: empty(v.hints), replies: empty(v.replies),
		asks: v.asks,
	}
	views.Put(v)
}

// empty returns the memory of s, which keeps nothing alive any more.
func empty[T any](s []T) []T {
	clear(s)
	return s[:0]
}

// at returns the i-th value taken apart.
func (v *view) at(i int) (*envelope, error) {
	for len(v.parsed) <= i {
		v.parsed = append(v.parsed, parsed{})
	}
	p := &v.parsed[i]
	if !p.done {
		p.done = true
		v.stamps, p.err = p.parse(v.raws[i], v.stamps)
	}
	return &p.envelope, p.err
}

// value adds a value to what read asks for.
func (v *view) value(key string) {
	v.keys = append(v.keys, key)
	v.raws = append(v.raws, "")
}

// tags adds tags to what read asks for and reports whether there is anything
// to ask.
func (v *view) tags(tags []string) bool {
	for _, t := range tags {
		v.tag(t)
	}
	return v.readT < len(v.names)
}

// tag is tags for one tag.
func (v *view) tag(t string) bool {
	if v.find(t) < 0 {
		v.names = append(v.names, t)
		v.versions = append(v.versions, "")
		if v.index != nil {
			v.index[t] = len(v.names) - 1
		}
	}
	return v.readT < len(v.names)
}

// watch begins to watch what is about to be read, so that it can be served from
// memory afterwards.
func (v *view) watch() {
	for _, k := range v.keys {
		v.watches = append(v.watches, v.space.WatchKey(invalidation.Hash(k)))
	}
}

// find returns the place of a tag, or -1.
func (v *view) find(tag string) int {
	if v.index == nil && len(v.names) > 16 {
		v.index = make(map[string]int, 2*len(v.names))
		for i, n := range v.names {
			v.index[n] = i
		}
	}
	if v.index != nil {
		if i, ok := v.index[tag]; ok {
			return i
		}
		return -1
	}
	for i, n := range v.names {
		if n == tag {
			return i
		}
	}
	return -1
}

// version returns the present version of a tag: a header, or "".
func (v *view) version(tag string) string {
	if i := v.find(tag); i >= 0 && i < v.readT {
		return v.versions[i]
	}
	return ""
}

// valid reports whether nothing that the value depends on was invalidated.
func (v *view) valid(key string, e *envelope) bool {
	if !sameVersion(v.stars[v.space.lane(key)], e.star) {
		return false
	}
	for _, s := range e.stamps {
		if !sameVersion(v.version(s.tag), s.version) {
			return false
		}
	}
	return true
}

// sameVersion reports whether header is the version of a tag and this one.
// A missing version is not equal to anything.
func sameVersion(header, version string) bool {
	return len(header) == headerSize && header[0] == kindVersion && header[1:] == version
}

// read asks for all that was added since it was last called.
func (v *view) read(ctx context.Context) error {
	var reads []lookup
	if v.space.lanes == 1 {
		reads = v.plan()
	} else {
		reads = v.planCluster()
	}
	keys := len(v.keys) - v.read1 + len(v.names) - v.readT
	v.read1, v.readT = len(v.keys), len(v.names)
	together := v.gathers && keys <= maxGathered
	reads, err := v.admit(ctx, reads, together)
	if len(reads) == 0 {
		return err
	}
	var err1 error
	if together {
		err1 = v.readTogether(ctx, reads)
	} else {
		err1 = v.readAlone(ctx, reads)
	}
	if err = cmp.Or(err, err1); v.space.switches.Load() != v.switches {
		v.void, err = true, cmp.Or(err, errSwitch)
	}
	return err
}

// readAlone reads in one trip of its own.
func (v *view) readAlone(ctx context.Context, reads []lookup) error {
	if v.space.lanes == 1 && len(reads) == 1 && !v.space.leaves(ctx) {
		r := newReply(1)
		v.replies = append(v.replies, r)
		got, err := v.space.mgetRaw(ctx, v.question, reads[0].keys, r)
		reads[0].deliver(v, got, err)
		return err
	}
	calls := make([]*call, len(reads))
	for i := range reads {
		calls[i] = mget(ctx, reads[i].keys)
	}
	err := v.space.run(ctx, calls...)
	if err != nil && v.space.lanes > 1 {
		err = v.readSingly(ctx, reads, calls, err)
	}
	for i, r := range reads {
		got, lost := calls[i].strings(), calls[i].cmd.Err()
		if lost == nil && len(got) != len(r.keys) { // was not sent
			lost = cmp.Or(err, errUnavailable)
		}
		r.deliver(v, got, lost)
	}
	return err
}

// complete reads the tags of all values that were not asked for yet.
func (v *view) complete(ctx context.Context) error {
	more := false
	for i, raw := range v.raws {
		if raw == "" || raw[0] != kindValue {
			continue
		}
		if e, err := v.at(i); err == nil && e.key == v.keys[i] {
			for _, s := range e.stamps {
				more = v.tag(s.tag) || more
			}
		}
	}
	if !more {
		return nil
	}
	return v.read(ctx)
}

// readSingly reads key by key what one MGET could not: while a slot of the
// cluster moves, its keys may be on two servers.
func (v *view) readSingly(ctx context.Context, reads []lookup, calls []*call, first error) error {
	var single []*call
	var places []*any
	for i, r := range reads {
		if !redis.HasErrorPrefix(calls[i].cmd.Err(), "TRYAGAIN") {
			continue
		}
		list := make([]any, len(r.keys))
		calls[i].cmd.SetVal(list)
		calls[i].cmd.SetErr(nil)
		for j, k := range r.keys {
			single = append(single, mget(ctx, []string{k}))
			places = append(places, &list[j])
		}
	}
	if single == nil {
		return first
	}
	err := v.space.run(ctx, single...)
	for i, c := range single {
		if got := c.strings(); len(got) == 1 {
			*places[i] = got[0]
		}
	}
	for _, c := range calls {
		if err == nil && c.cmd.Err() != nil {
			err = first
		}
	}
	return err
}
