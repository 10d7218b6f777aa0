package redisstore

import "fmt"

// partError is the error of an invalidation that was done in part.
type partError struct {
	keys, tags []string // that were not invalidated
	of         int
	err        error
}

// partOf returns err as that of keys and tags, out of a number.
func partOf(err error, keys, tags []string, of int) error {
	return &partError{keys, tags, of, err}
}

func (e *partError) Error() string {
	n, what := len(e.keys)+len(e.tags), "keys"
	switch {
	case len(e.keys) == 0:
		what = "tags"
	case len(e.tags) > 0:
		what = "keys and tags"
	}
	if e.of <= 1 {
		return e.err.Error()
	}
	return fmt.Sprintf("%d of %d %s were not invalidated: %v", n, e.of, what, e.err)
}

func (e *partError) Unwrap() error { return e.err }

// Unfinished returns what was not invalidated: see invalidation.Remote.
func (e *partError) Unfinished() (keys, tags []string) { return e.keys, e.tags }

// without returns all names but some, in the same order.
func without(all, some []string) []string {
	if len(some) == 0 {
		return all
	}
	out := make(map[string]bool, len(some))
	for _, n := range some {
		out[n] = true
	}
	rest := make([]string, 0, len(all))
	for _, n := range all {
		if !out[n] {
			rest = append(rest, n)
		}
	}
	return rest
}
