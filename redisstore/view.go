package redisstore

import (
	"context"

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
	stars []string // versions of the lanes, by lane
	// tags that were asked for, with their versions
	names    []string
	versions []string
	index    map[string]int // of names, if they are many

	// watches of the values, from before they were read
	watches []invalidation.Watch

	gathers bool  // may go with the reads of others
	read1   int   // values that have been asked for
	readT   int   // tags that have been asked for
	failed  []int // values that could not be read
	missing bool  // some tags or stars could not be read
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
		if v.find(t) < 0 {
			v.names = append(v.names, t)
			v.versions = append(v.versions, "")
			if v.index != nil {
				v.index[t] = len(v.names) - 1
			}
		}
	}
	return v.readT < len(v.names)
}

// watch begins to watch what is about to be read, so that it can be served from
// memory afterwards.
func (v *view) watch() {
	v.watches = make([]invalidation.Watch, len(v.keys))
	for i, k := range v.keys {
		v.watches[i] = v.space.WatchKey(invalidation.Hash(k))
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
	if v.gathers && keys <= maxGathered {
		return v.readTogether(ctx, reads)
	}
	return v.readAlone(ctx, reads)
}

// readAlone reads in one trip of its own.
func (v *view) readAlone(ctx context.Context, reads []lookup) error {
	if v.space.lanes == 1 && len(reads) == 1 {
		got, err := v.space.mgetRaw(ctx, reads[0].keys)
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
		r.deliver(v, calls[i].strings(), calls[i].cmd.Err())
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
		if e, err := parse(raw); err == nil && e.key == v.keys[i] {
			for _, s := range e.stamps {
				more = v.tags([]string{s.tag}) || more
			}
		}
	}
	if !more {
		return nil
	}
	return v.read(ctx)
}

// whole reports whether the i-th value and all it may depend on could be read.
func (v *view) whole(i int) bool {
	for _, f := range v.failed {
		if f == i {
			return false
		}
	}
	return !v.missing
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
