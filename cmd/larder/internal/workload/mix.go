package workload

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Kind is what an operation does.
type Kind uint8

// The kinds of operations.
const (
	Get           Kind = iota // read a row
	Write                     // update a row
	InvalidateTag             // update a group of rows, then invalidate its tag
	GetMany                   // read several rows by popularity, at once
	Scan                      // read up to a hundred rows that follow each other, at once
	Insert                    // write the row after the newest
	ReadWrite                 // read a row, then update it
	Kinds
)

var kindNames = [Kinds]string{"get", "write", "invtag", "mget", "scan", "insert", "rmw"}

// Reads reports whether operations of the kind read.
func (k Kind) Reads() bool { return k == Get || k == GetMany || k == Scan || k == ReadWrite }

// String returns the name of the kind as it stands in a mix.
func (k Kind) String() string {
	if k < Kinds {
		return kindNames[k]
	}
	return "unknown"
}

// Mix says how many of the operations are of each kind, in parts of their sum.
type Mix [Kinds]int

// maxShare keeps the sum of a mix within an int on every machine.
const maxShare = 1_000_000

// ParseMix reads a mix such as "get=94,write=4,invtag=2". Kinds that are left
// out have no part.
func ParseMix(text string) (m Mix, err error) {
	seen := [Kinds]bool{}
	for part := range strings.SplitSeq(text, ",") {
		name, share, _ := strings.Cut(strings.TrimSpace(part), "=")
		k := Get
		for k < Kinds && kindNames[k] != name {
			k++
		}
		if k == Kinds {
			return m, fmt.Errorf("%q is none of %s", name, strings.Join(kindNames[:], ", "))
		}
		if seen[k] {
			return m, fmt.Errorf("%s stands there twice", k)
		}
		seen[k] = true
		n, err := strconv.Atoi(share)
		if err != nil || n < 0 || n > maxShare {
			return m, fmt.Errorf("the share of %s is %q and not a number from 0 to %d", k, share, maxShare)
		}
		m[k] = n
	}
	for k := range Kinds {
		if k.Reads() && m[k] > 0 {
			return m, nil
		}
	}
	return m, fmt.Errorf("%q reads nothing: there would be nothing to cache", text)
}

// String returns the mix as ParseMix reads it.
func (m Mix) String() string {
	var parts []string
	for k := range Kinds {
		if m[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", k, m[k]))
		}
	}
	return strings.Join(parts, ",")
}

func (m Mix) draw(rng *rand.Rand) Kind {
	sum := 0
	for _, n := range m {
		sum += n
	}
	at := rng.IntN(sum)
	for k, n := range m {
		if at < n {
			return Kind(k)
		}
		at -= n
	}
	return Get
}

// MarshalText writes the mix as String does.
func (m Mix) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the mix as ParseMix does.
func (m *Mix) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMix(string(text))
	return err
}
