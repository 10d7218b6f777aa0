package redisstore

import (
	"context"
	"slices"
)

const (
	// maxMGet bounds the keys of one MGET, so that one large read does not hold up
	// the server for others.
	maxMGet = 250
	// maxKeys is maxMGet for scripts.
	maxKeys = 250
)

// maxGathered is how many keys a read may have that goes with those of others.
const maxGathered = 16

// lookup is one command of a read and where its results go.
type lookup struct {
	keys  []string
	dests []dest
	lane  int // whose other keys may be read by the same command
	// server has the keys, if that was looked up.
	server *server
}

// noLane is that of a key that must be alone in its command.
const noLane = -1

// dest is a place in a view: the value, tag or lane with index i.
type dest struct {
	what byte
	i    int
}

const (
	toValue = 'v'
	toTag   = 't'
	toStar  = 's'
)

func (l *lookup) add(key string, what byte, i int) {
	l.keys = append(l.keys, key)
	l.dests = append(l.dests, dest{what, i})
}

// mget returns the call that reads keys. It is MGET also for one key: to GET, a
// key of another type is an error.
func mget(ctx context.Context, keys []string) *call {
	args := make([]any, 1, 1+len(keys))
	args[0] = "mget"
	for _, k := range keys {
		args = append(args, k)
	}
	return command(ctx, args...)
}

// deliver puts the results into v.
func (l *lookup) deliver(v *view, got []string, err error) {
	lost := err != nil
	for j, d := range l.dests {
		var s string
		if j < len(got) {
			s = got[j]
		}
		switch d.what {
		case toValue:
			v.raws[d.i] = s
		case toTag:
			v.versions[d.i] = s
		case toStar:
			v.stars[d.i] = s
		}
		if lost {
			v.lose(d)
		}
	}
}

// plan puts everything into one MGET, or a few if it is much.
func (v *view) plan() []lookup {
	n := len(v.keys) - v.read1 + len(v.names) - v.readT + 1
	v.question = &question{}
	l := lookup{keys: slices.Grow(v.question.keys[:0], n), dests: slices.Grow(v.dests[:0], n)}
	for i := v.read1; i < len(v.keys); i++ {
		l.add(v.keys[i], toValue, i)
	}
	if len(v.stars) == 0 {
		v.stars = append(v.stars, "")
		l.add(v.space.starKey(0), toStar, 0)
	}
	for i := v.readT; i < len(v.names); i++ {
		l.add(v.space.tagKey(v.names[i]), toTag, i)
	}
	v.dests = l.dests
	out := v.reads[:0]
	for len(l.keys) > maxMGet {
		out = append(out, lookup{keys: l.keys[:maxMGet], dests: l.dests[:maxMGet]})
		l = lookup{keys: l.keys[maxMGet:], dests: l.dests[maxMGet:]}
	}
	v.reads = append(out, l)
	return v.reads
}

// planCluster reads each value alone and the tags of a lane together, which are
// in one slot. The client sends what goes to one server in one pipeline.
func (v *view) planCluster() []lookup {
	var out []lookup
	lanes := make([]lookup, v.space.lanes)
	for len(v.stars) < v.space.lanes {
		v.stars = append(v.stars, "")
	}
	asked := make([]bool, v.space.lanes)
	for i := v.read1; i < len(v.keys); i++ {
		l := lookup{lane: noLane}
		l.add(v.keys[i], toValue, i)
		out = append(out, l)
		if lane := v.space.lane(v.keys[i]); !asked[lane] {
			asked[lane] = true
			lanes[lane].add(v.space.starKey(lane), toStar, lane)
		}
	}
	for i := v.readT; i < len(v.names); i++ {
		lanes[v.space.lane(v.names[i])].add(v.space.tagKey(v.names[i]), toTag, i)
	}
	for lane, l := range lanes {
		for l.lane = lane; len(l.keys) > maxMGet; l.keys, l.dests = l.keys[maxMGet:], l.dests[maxMGet:] {
			out = append(out, lookup{keys: l.keys[:maxMGet], dests: l.dests[:maxMGet], lane: lane})
		}
		if len(l.keys) > 0 {
			out = append(out, l)
		}
	}
	return out
}
