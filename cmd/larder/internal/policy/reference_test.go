package policy

import (
	"container/heap"
	"container/list"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
)

// The references do what the policies should do in the plainest way, and share no code
// with them.

// referenceEntry is what a reference has cached.
type referenceEntry struct {
	id, size uint32
	expires  uint64 // 0: never
}

// at returns what a request of a trace would cache, what it does and when.
func at(t *trace.Trace, i int, o Options) (e referenceEntry, op trace.Op, now uint64) {
	e = referenceEntry{id: t.IDs[i], size: 1}
	if o.Bytes {
		e.size = max(1, t.Sizes[i])
	}
	if t.Ops != nil {
		op = t.Ops[i]
	}
	if t.Times != nil && t.TTLs != nil && !o.IgnoreTTL {
		now = uint64(t.Times[i])
		if ttl := uint64(t.TTLs[i]); ttl > 0 {
			e.expires = now + ttl
		}
	}
	return e, op, now
}

// referenceLRU keeps a list, what was requested last at its front.
func referenceLRU(t *trace.Trace, o Options, capacity int64) (hits Hits) {
	recent, where, used := list.New(), map[uint32]*list.Element{}, int64(0)
	remove := func(e *list.Element) {
		entry := recent.Remove(e).(referenceEntry)
		delete(where, entry.id)
		used -= int64(entry.size)
	}
	for i := range t.IDs {
		entry, op, now := at(t, i, o)
		cached := where[entry.id]
		if cached != nil && op == trace.Read {
			if dies := cached.Value.(referenceEntry).expires; dies == 0 || now < dies {
				recent.MoveToFront(cached)
				hits.Requests++
				if o.Bytes {
					hits.Bytes += int64(t.Sizes[i])
				}
				continue
			}
		}
		if cached != nil {
			remove(cached)
		}
		if op == trace.Delete || int64(entry.size) > capacity {
			continue
		}
		where[entry.id] = recent.PushFront(entry)
		for used += int64(entry.size); used > capacity; {
			remove(recent.Back())
		}
	}
	return hits
}

// referenceOptimum looks through the rest of a trace of reads at every miss of a full
// cache and gives up whichever id, cached or new, comes last.
func referenceOptimum(ids []uint32, capacity int) (hits int64) {
	var cached []uint32
	for i, id := range ids {
		if slices.Contains(cached, id) {
			hits++
			continue
		}
		cached = append(cached, id)
		if len(cached) <= capacity {
			continue
		}
		worst, farthest := 0, -1
		for at, c := range cached {
			next := slices.Index(ids[i+1:], c)
			if next < 0 {
				next = len(ids)
			}
			if next > farthest {
				worst, farthest = at, next
			}
		}
		cached = slices.Delete(cached, worst, worst+1)
	}
	return hits
}

// use is when an id will be requested next.
type use struct {
	next int
	id   uint32
}

// uses is a heap, the use that is farthest first.
type uses []use

func (u uses) Len() int           { return len(u) }
func (u uses) Less(i, j int) bool { return u[i].next > u[j].next }
func (u uses) Swap(i, j int)      { u[i], u[j] = u[j], u[i] }
func (u *uses) Push(x any)        { *u = append(*u, x.(use)) }
func (u *uses) Pop() any {
	last := (*u)[len(*u)-1]
	*u = (*u)[:len(*u)-1]
	return last
}

// referenceMIN is referenceOptimum for traces of some length: what is cached lies in a
// heap by its next use, beside older uses of it, which are known by a map.
func referenceMIN(ids []uint32, capacity int) (hits int64) {
	next, seen := make([]int, len(ids)), map[uint32]int{}
	for i := len(ids) - 1; i >= 0; i-- {
		next[i] = len(ids)
		if later, ok := seen[ids[i]]; ok {
			next[i] = later
		}
		seen[ids[i]] = i
	}
	cached, order := map[uint32]int{}, &uses{}
	for i, id := range ids {
		if _, hit := cached[id]; hit {
			hits++
		}
		cached[id] = next[i]
		heap.Push(order, use{next[i], id})
		for len(cached) > capacity {
			farthest := heap.Pop(order).(use)
			if now, ok := cached[farthest.id]; ok && now == farthest.next {
				delete(cached, farthest.id)
			}
		}
	}
	return hits
}

// exhaustive tries everything that a cache could do: store or not, and remove what it
// likes at any time. It returns the most requests and the most bytes that can be hits.
func exhaustive(t *trace.Trace, o Options, capacity int64) (most Hits) {
	type state struct {
		cached []referenceEntry // by id
		hits   Hits
	}
	states := []state{{}}
	for i := range t.IDs {
		entry, op, now := at(t, i, o)
		var after []state
		known := map[string]int{}
		keep := func(s state) {
			key := strings.Trim(fmt.Sprint(s.cached), "[]")
			if n, ok := known[key]; ok {
				after[n].hits.Requests = max(after[n].hits.Requests, s.hits.Requests)
				after[n].hits.Bytes = max(after[n].hits.Bytes, s.hits.Bytes)
				return
			}
			known[key] = len(after)
			after = append(after, s)
		}
		for _, s := range states {
			found := slices.IndexFunc(s.cached, func(e referenceEntry) bool { return e.id == entry.id })
			hit := op == trace.Read && found >= 0 && (s.cached[found].expires == 0 || now < s.cached[found].expires)
			all := slices.Clone(s.cached)
			if hit {
				s.hits.Requests++
				if o.Bytes {
					s.hits.Bytes += int64(t.Sizes[i])
				}
			} else {
				all = slices.DeleteFunc(all, func(e referenceEntry) bool { return e.id == entry.id })
				if op != trace.Delete {
					all = append(all, entry)
					slices.SortFunc(all, func(a, b referenceEntry) int { return int(a.id) - int(b.id) })
				}
			}
			for subset := range 1 << len(all) {
				next, used := state{hits: s.hits}, int64(0)
				for b, e := range all {
					if subset>>b&1 != 0 {
						next.cached = append(next.cached, e)
						used += int64(e.size)
					}
				}
				if used <= capacity {
					keep(next)
				}
			}
		}
		states = after
	}
	for _, s := range states {
		most.Requests, most.Bytes = max(most.Requests, s.hits.Requests), max(most.Bytes, s.hits.Bytes)
	}
	return most
}

// randomTrace draws a trace of up to so many requests of up to so many keys, in one of
// several shapes. Of its columns, all or none of each there may be.
func randomTrace(r *rand.Rand, requests, keys int) *trace.Trace {
	keys = 1 + r.IntN(keys)
	requests = 1 + r.IntN(requests)
	shape, t := r.IntN(3), &trace.Trace{}
	known, now := map[int]uint32{}, uint32(0)
	writes, sizes, times := r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0
	constant := r.IntN(2) == 0 // sizes are those of keys
	for i := range requests {
		key := i % keys
		switch {
		case shape == 0 || shape == 2 && r.IntN(5) == 0:
			key = r.IntN(keys)
		case shape == 1:
			key = min(r.IntN(keys), r.IntN(keys), r.IntN(keys))
		}
		if _, ok := known[key]; !ok {
			known[key] = uint32(len(known))
		}
		t.IDs = append(t.IDs, known[key])
		if writes {
			t.Ops = append(t.Ops, []trace.Op{trace.Read, trace.Read, trace.Read, trace.Write, trace.Delete}[r.IntN(5)])
		}
		if sizes {
			size := uint32(r.IntN(10))
			if constant {
				size = uint32(key*7%10 + 1)
			}
			t.Sizes = append(t.Sizes, size)
		}
		if times {
			now += uint32(r.IntN(3))
			t.Times = append(t.Times, now)
			t.TTLs = append(t.TTLs, uint32(max(0, r.IntN(20)-3)))
		}
	}
	if writes {
		t.Ops[0] = trace.Read
	}
	t.Unique = len(known)
	return t
}
