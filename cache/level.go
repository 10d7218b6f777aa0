package cache

// Level is a part of the way from a caller to the origin.
type Level uint8

// The levels.
const (
	Origin Level = iota // a Loader, Batch or Writer, and the origin that it asks
	Memory              // the memory of this process
	Shared              // a store that processes share
)

// String returns the name of the level in lower case.
func (l Level) String() string {
	switch l {
	case Memory:
		return "memory"
	case Shared:
		return "shared"
	}
	return "origin"
}
