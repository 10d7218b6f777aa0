package policy

import "math"

// Never is the next use of a request whose id is not requested again.
const Never = math.MaxUint32

// NextUse tells for each request of a trace the position of the next request
// of the same id, or Never.
type NextUse []uint32

// FindNextUse computes the next uses of a trace whose ids are below unique. It
// takes one pass and four bytes a request.
func FindNextUse(ids []uint32, unique int) NextUse {
	seen := make([]uint32, unique)
	for i := range seen {
		seen[i] = Never
	}
	next := make(NextUse, len(ids))
	for i := len(ids) - 1; i >= 0; i-- {
		next[i] = seen[ids[i]]
		seen[ids[i]] = uint32(i)
	}
	return next
}
