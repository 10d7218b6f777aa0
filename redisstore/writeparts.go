package redisstore

import (
	"context"
	"slices"
)

// sendChecked stores the entries, or releases the quarantine, reads versions again, and
// makes calls behind that, in the same trip. It returns what the script says of each entry.
func (f *fill[K, V]) sendChecked(ctx context.Context, check *recheck, writes []write, after []*call) ([]int64, error) {
	s := f.store.space
	if s.lanes > 1 || f.writer != "" || len(writes)+len(check.keys()) > maxMGet {
		before := check.calls(ctx, s)
		parts := f.parts(ctx, writes, nil)
		err := s.run(ctx, slices.Concat(before, parts.calls(), after)...)
		check.take()
		return parts.done(), err
	}
	parts := f.parts(ctx, writes, check.keys())
	err := s.run(ctx, slices.Concat(parts.calls(), after)...)
	if got := parts[len(parts)-1].call.strings(); len(got) > len(check.keys()) {
		check.takeHeaders(got[len(got)-len(check.keys()):])
	}
	return parts.done(), err
}

// send stores the entries, or releases the quarantine. It returns what the script says of
// each.
func (f *fill[K, V]) send(ctx context.Context, writes []write) ([]int64, error) {
	parts := f.parts(ctx, writes, nil)
	err := f.store.space.run(ctx, parts.calls()...)
	return parts.done(), err
}

// writePart is the call of some writes.
type writePart struct {
	call *call
	n    int // of writes
}

type writeParts []writePart

// parts divides writes into calls. The last one also returns the headers under more keys.
func (f *fill[K, V]) parts(ctx context.Context, writes []write, more []string) (parts writeParts) {
	for some := range chunks(writes, f.store.space.lanes) {
		var with []string
		if writes = writes[len(some):]; len(writes) == 0 {
			with = more
		}
		parts = append(parts, writePart{f.call(ctx, some, with), len(some)})
	}
	return parts
}

func (p writeParts) calls() []*call {
	out := make([]*call, len(p))
	for i := range p {
		out[i] = p[i].call
	}
	return out
}

// done returns what the scripts say of each write.
func (p writeParts) done() (done []int64) {
	for _, part := range p {
		got := part.call.numbers()
		for i := range part.n {
			n := int64(notDone)
			if len(got) == len(part.call.keys) {
				n = got[i]
			}
			done = append(done, n)
		}
	}
	return done
}

func (f *fill[K, V]) call(ctx context.Context, part []write, more []string) *call {
	keys := make([]string, len(part), len(part)+len(more))
	args := make([]any, 0, 2+3*len(part))
	args = append(args, random(8))
	if f.writer != "" {
		args = append(args, f.writer)
	}
	for i, w := range part {
		keys[i] = w.key
		args = append(args, w.token, w.body, w.px)
	}
	if f.writer != "" {
		return releaseScript.call(ctx, keys, args...)
	}
	c := fillScript.call(ctx, append(keys, more...), args...)
	// What it has stored shows that it could write; of what it has not, nothing is relied on.
	c.proves = !slices.ContainsFunc(part, func(w write) bool { return w.body == "" })
	return c
}
