// Package policy replays request traces against eviction policies and counts
// the hits.
package policy

import (
	"context"
	"fmt"
	"io"
)

// Policy is a cache of a fixed capacity as a read-through loop sees it.
//
// A policy that holds more than memory also implements io.Closer; Replay
// closes it.
type Policy interface {
	// Name is the name the policy has in the catalog.
	Name() string
	// Access requests id: it reports whether the cache held it and, if not,
	// offers it to the cache. It is for one goroutine at a time.
	Access(id uint32) (hit bool)
}

// Setup is what a policy can be built from.
type Setup struct {
	// Capacity is the number of entries, at least 1.
	Capacity int
	// Next is the future of the trace, for policies that may look at it. It is
	// shared and must not be changed.
	Next NextUse
}

// Kind is an entry of the catalog: a policy by name and how to build it.
type Kind struct {
	Name string
	New  func(Setup) (Policy, error)
}

// checkEvery is the number of requests between two looks at the context.
const checkEvery = 1 << 16

// Replay builds a policy of kind k, requests all ids of a trace in order and
// returns how many were hits. It ends early, with its error, when ctx does.
func Replay(ctx context.Context, k Kind, s Setup, ids []uint32) (hits int, err error) {
	if s.Capacity < 1 {
		return 0, fmt.Errorf("%s: capacity %d is less than 1", k.Name, s.Capacity)
	}
	p, err := k.New(s)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", k.Name, err)
	}
	if c, ok := p.(io.Closer); ok {
		defer func() {
			if e := c.Close(); e != nil && err == nil {
				err = fmt.Errorf("%s: %w", k.Name, e)
			}
		}()
	}
	for len(ids) > 0 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		part := ids[:min(len(ids), checkEvery)]
		for _, id := range part {
			if p.Access(id) {
				hits++
			}
		}
		ids = ids[len(part):]
	}
	return hits, nil
}
