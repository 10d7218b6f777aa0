package cache

// Observers returns an Observer that tells all of these, in order. Nil ones are left
// out; it is nil if none is left. The panic of one keeps none of the others from being
// told.
func Observers(all ...Observer) Observer {
	var some observers
	for _, o := range all {
		switch o := o.(type) {
		case nil:
		case observers:
			some = append(some, o...)
		default:
			some = append(some, o)
		}
	}
	switch len(some) {
	case 0:
		return nil
	case 1:
		return some[0]
	}
	return some
}

type observers []Observer

func (all observers) Observe(e Event) {
	for i := range all {
		all[i:].first(e)
	}
}

// first tells the first. If that panics, it tells the others before the panic goes on.
func (all observers) first(e Event) {
	returned := false
	defer func() {
		if !returned {
			all[1:].Observe(e)
		}
	}()
	all[0].Observe(e)
	returned = true
}
