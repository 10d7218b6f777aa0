package trace

import (
	"fmt"
	"math"
)

// recorder collects the requests of one trace up to a limit and knows how many
// ids were handed out. Its slices grow by appending alone. Columns other than
// ids begin with the first request that has something in them.
type recorder struct {
	ids    []uint32
	unique uint32
	limit  int

	timed  bool // whether requests have times
	first  uint64
	times  []uint32
	falls  int // times that were before the one before
	sizes  []uint32
	ttls   []uint32
	ops    []Op
	doubts []string
}

// detail is what a request has besides its key. What the format does not know
// is zero.
type detail struct {
	at   uint64 // seconds since any moment
	size uint64 // bytes
	ttl  uint64 // seconds
	op   Op
}

// fresh records a request of a key never seen before and returns its new id.
func (r *recorder) fresh() (uint32, error) {
	id := r.unique
	if err := r.known(id); err != nil {
		return 0, err
	}
	r.unique++
	return id, nil
}

// known records a request of an id handed out before.
func (r *recorder) known(id uint32) error {
	if len(r.ids) >= r.limit {
		return r.full()
	}
	r.ids = append(r.ids, id)
	return nil
}

// note adds the details of the request that was just recorded. A time before
// the one before counts as that one, and what does not fit 32 bits as the
// highest number that does.
func (r *recorder) note(d detail) {
	at := len(r.ids) - 1
	if r.timed {
		if at == 0 {
			r.first = d.at
		}
		last := uint32(0)
		if at > 0 {
			last = r.times[at-1]
		}
		now := clamp(d.at - min(d.at, r.first))
		if now < last || d.at < r.first {
			r.falls++
			now = last
		}
		r.times = append(r.times, now)
	}
	r.sizes = column(r.sizes, at, clamp(d.size))
	r.ttls = column(r.ttls, at, clamp(d.ttl))
	r.ops = column(r.ops, at, d.op)
}

// column sets the value of request at, which is the last one.
func column[T uint32 | Op](c []T, at int, v T) []T {
	if c == nil {
		if v == 0 {
			return nil
		}
		c = make([]T, at, at+at/4+64)
	}
	return append(c, v)
}

func clamp(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }

// doubt remembers something that may be wrong with how the trace is read.
func (r *recorder) doubt(format string, args ...any) {
	r.doubts = append(r.doubts, fmt.Sprintf(format, args...))
}

func (r *recorder) trace() *Trace {
	if r.falls > 0 {
		r.doubt("%d of its times are earlier than the one before, and count as that one", r.falls)
	}
	return &Trace{
		IDs: r.ids, Unique: int(r.unique), Times: r.times, Sizes: r.sizes, TTLs: r.ttls, Ops: r.ops, Doubts: r.doubts,
	}
}

func (r *recorder) full() *Error {
	return fault("cut the trace or raise --max-requests", "holds more than %d requests", r.limit)
}

// numbering hands out dense ids by first appearance of a key.
type numbering[K comparable] struct {
	rec *recorder
	ids map[K]uint32
}

func number[K comparable](rec *recorder) numbering[K] {
	return numbering[K]{rec: rec, ids: make(map[K]uint32)}
}

// request records one request of key.
func (n numbering[K]) request(key K) error {
	if id, ok := n.ids[key]; ok {
		return n.rec.known(id)
	}
	id, err := n.rec.fresh()
	if err != nil {
		return err
	}
	n.ids[key] = id
	return nil
}

// detailed records one request of key with its details.
func (n numbering[K]) detailed(key K, d detail) error {
	if err := n.request(key); err != nil {
		return err
	}
	n.rec.note(d)
	return nil
}

// textKeys are a numbering of keys that are text.
type textKeys struct{ numbering[string] }

func numberText(rec *recorder) textKeys { return textKeys{number[string](rec)} }

// request records one request of key, which is copied only when it is new.
func (n textKeys) request(key []byte) error {
	// The look-up is spelled out because a conversion inside the index
	// expression copies nothing.
	if id, ok := n.ids[string(key)]; ok {
		return n.rec.known(id)
	}
	return n.numbering.request(string(key))
}

// detailed records one request of key with its details.
func (n textKeys) detailed(key []byte, d detail) error {
	if err := n.request(key); err != nil {
		return err
	}
	n.rec.note(d)
	return nil
}
