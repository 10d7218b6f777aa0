package redisstore

import (
	"context"
	"slices"
)

// version is the key of a tag or of a lane's star, and its header.
type version struct {
	lane        int
	key, header string
}

// wanted returns the versions from before the load that must still be there
// when the entry is stored.
func (w *watch) wanted(key string, tags []string) []version {
	lane := w.space.lane(key)
	out := make([]version, 1, 1+len(tags))
	out[0] = version{lane, w.space.starKey(lane), w.stars[lane]}
	for _, t := range tags {
		out = append(out, version{w.space.lane(t), w.space.tagKey(t), w.versions[t]})
	}
	return out
}

// recheck reads versions again, in the round trip that stores.
type recheck struct {
	byLane map[int][]string // keys
	order  [][]string       // keys of each call
	sent   []*call
	now    map[string]string // headers, by key; "" before they are read
}

func (r *recheck) add(want []version) {
	if r.now == nil {
		r.byLane, r.now = map[int][]string{}, map[string]string{}
	}
	for _, v := range want {
		if _, ok := r.now[v.key]; !ok {
			r.now[v.key] = ""
			r.byLane[v.lane] = append(r.byLane[v.lane], v.key)
		}
	}
}

func (r *recheck) calls(ctx context.Context, s *Space) []*call {
	for _, keys := range r.byLane {
		for part := range slices.Chunk(keys, maxMGet) {
			r.order = append(r.order, part)
			r.sent = append(r.sent, mget(ctx, part))
		}
	}
	return r.sent
}

// keys returns what is read on a single server, where the script that stores reads it too.
func (r *recheck) keys() []string { return r.byLane[0] }

// takeHeaders takes what that script has found under keys.
func (r *recheck) takeHeaders(headers []string) {
	for i, h := range headers {
		r.now[r.byLane[0][i]] = h
	}
}

func (r *recheck) take() {
	for i, keys := range r.order {
		for j, h := range r.sent[i].strings() {
			r.now[keys[j]] = h[:min(len(h), headerSize)]
		}
	}
}

// same reports whether all versions are what they were. One that is missing, or
// could not be read, is not.
func (r *recheck) same(want []version) bool {
	for _, v := range want {
		if len(v.header) < headerSize || r.now[v.key] != v.header[:headerSize] {
			return false
		}
	}
	return true
}
