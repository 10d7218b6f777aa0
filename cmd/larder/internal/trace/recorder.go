package trace

// recorder collects the requests of one trace up to a limit and knows how many
// ids were handed out. Its slice grows by appending alone.
type recorder struct {
	ids    []uint32
	unique uint32
	limit  int
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
