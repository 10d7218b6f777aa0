package redisstore

import (
	"cmp"
	"context"

	"github.com/larder-cache/larder/cache"
)

// In a cluster a read asks several masters: one has the value, others the versions that
// it depends on. While the breaker of a master is open, what that master has is not
// asked for, and neither is what would be of no use without it.

// admit returns those reads that may be sent. The others have their error, which it
// returns: all of them, unless what can be read is of use without the rest. With locate,
// those that it returns have their servers.
func (v *view) admit(ctx context.Context, reads []lookup, locate bool) ([]lookup, error) {
	s := v.space
	if s.lanes == 1 || !locate && s.servers.open.Load() == 0 {
		return reads, nil
	}
	var first error
	errs := make([]error, len(reads))
	for i := range reads {
		if reads[i].server, errs[i] = s.servers.of(ctx, s, reads[i].keys[0]); errs[i] == nil && reads[i].server.breaker.refuses() {
			errs[i] = errOpen
		}
		if first == nil {
			first = errs[i]
		}
	}
	if first == nil {
		return reads, nil
	}
	for i := range reads { // whoever knows the versions of its lane lost does not read a value
		if !v.partial {
			errs[i] = first
		}
		if errs[i] != nil {
			reads[i].deliver(v, nil, errs[i])
		}
	}
	rest := make([]lookup, 0, len(reads))
	for i, r := range reads {
		switch {
		case errs[i] != nil:
		case r.lane == noLane && v.lost[dest{toStar, s.lane(r.keys[0])}]:
			r.deliver(v, nil, first)
		default:
			rest = append(rest, r)
		}
	}
	return rest, first
}

// lose notes that something could not be read.
func (v *view) lose(d dest) {
	if v.lost == nil {
		v.lost = map[dest]bool{}
	}
	v.lost[d] = true
}

// whole reports whether the i-th value could be read, and all that it depends on.
func (v *view) whole(i int) bool {
	switch {
	case v.void:
		return false
	case len(v.lost) == 0:
		return true
	case v.lost[dest{toValue, i}]:
		return false
	case v.raws[i] == "" || v.raws[i][0] != kindValue:
		return true // a miss depends on nothing
	case v.lost[dest{toStar, v.space.lane(v.keys[i])}]:
		return false
	}
	e, err := v.at(i)
	if err != nil {
		return true // it is no entry, whatever its tags
	}
	for _, s := range e.stamps {
		if at := v.find(s.tag); at < 0 || at >= v.readT || v.lost[dest{toTag, at}] {
			return false
		}
	}
	return true
}

// admit takes those slots out of a fill that depend on a server which is not to be asked,
// or does not write. It fails if that leaves none.
func (f *fill[K, V]) admit(ctx context.Context, slots []cache.Slot[K]) error {
	s := f.store.space
	if err := f.store.skip(); err != nil {
		return err
	}
	if s.lanes > 1 && s.servers.open.Load() == 0 && s.servers.refusing.Load() == 0 {
		return nil
	}
	writes := map[*server]bool{} // each of which lets one try, now and then
	refuses := func(key string) error {
		server, err := s.servers.of(ctx, s, key)
		if err != nil {
			return err
		}
		if _, asked := writes[server]; !asked {
			writes[server] = !server.breaker.refuses() && !server.writes.refuses()
		}
		if !writes[server] {
			return errOpen
		}
		return nil
	}
	lost := map[int]error{}
	for i := range f.slots {
		key := f.slots[i].key
		if key == "" {
			continue
		}
		needs := []string{key, s.laneKey(s.lane(key))}
		for _, t := range slots[i].Tags {
			needs = append(needs, s.laneKey(s.lane(t)))
		}
		for _, k := range needs {
			if err := refuses(k); err != nil {
				lost[i] = err
				break
			}
		}
	}
	err := f.without(lost)
	if err != nil {
		f.store.failed(err)
	}
	return err
}

// leaveOut has entries refused that depend on a server which is not to be asked.
func (f *fill[K, V]) leaveOut(ctx context.Context, entries []*cache.Entry[V]) {
	s := f.store.space
	if s.lanes == 1 || s.servers.open.Load() == 0 {
		return
	}
	for i, e := range entries {
		if key := f.slots[i].key; e != nil && key != "" {
			err := cmp.Or(s.servers.refuses(ctx, s, key), s.servers.refuses(ctx, s, s.laneKey(s.lane(key))))
			for _, t := range e.Tags {
				err = cmp.Or(err, s.servers.refuses(ctx, s, s.laneKey(s.lane(t))))
			}
			f.slots[i].lost = err
		}
	}
}

// wrote notes which servers have done what calls of a fill asked for, and which refused to.
func (v *servers) wrote(ctx context.Context, s *Space, calls []*call) {
	errs := map[*server]error{}
	for _, c := range calls {
		server, err := v.of(ctx, s, c.keys[0])
		if err != nil {
			continue
		}
		if err := c.cmd.Err(); errs[server] == nil || refusal(err) {
			errs[server] = err
		}
	}
	for server, err := range errs {
		server.writes.took(err)
	}
	refusing := int32(0)
	v.all(func(s *server) {
		if s.writes.until.Load() != 0 {
			refusing++
		}
	})
	if v.refusing.Load() != refusing {
		v.refusing.Store(refusing)
	}
}
