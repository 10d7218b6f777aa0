package strategy

import (
	"context"
	"fmt"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// Kind is a way to make a strategy.
type Kind struct {
	Name  string // in tables
	Flag  string // on the command line, and in names of metrics
	Short string // what it is, in a line
	open  func(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error)
}

// Open makes a strategy of this kind. Its cache is empty.
func (k Kind) Open(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	s.Namespace += "-" + k.Flag
	return k.open(ctx, db, s)
}

// Catalog returns all kinds in the order in which they are compared.
func Catalog() []Kind {
	return []Kind{
		{"no cache", "none", "asks the database for everything", openNoCache},
		{"L1 only", "l1", "cache-aside in memory, which one process can have", openL1},
		{"L2 only", "l2", "cache-aside in Redis", openL2},
		{"L1+L2 cache-aside", "aside", "cache-aside in memory over Redis", openAside},
		{"write-through", "write-through", "the same, and what is written is in the cache afterwards", openWriteThrough},
		{"early refresh", "early", "cache-aside in both, loaded again at random before it is past its TTL (XFetch)", openEarly},
		{"stale-while-revalidate", "swr", "cache-aside in both, served past its TTL while it is loaded again", openStale},
	}
}

// Names returns the names of all kinds on the command line.
func Names() (names []string) {
	for _, k := range Catalog() {
		names = append(names, k.Flag)
	}
	return names
}

// Parse returns the kinds of a list of names separated by commas, in the order
// of the catalog; "" is all of them.
func Parse(list string) ([]Kind, error) {
	if list == "" {
		return Catalog(), nil
	}
	wanted := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		wanted[strings.TrimSpace(name)] = true
	}
	var kinds []Kind
	for _, k := range Catalog() {
		if wanted[k.Flag] {
			kinds = append(kinds, k)
			delete(wanted, k.Flag)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("%q is none of %s", name, strings.Join(Names(), ", "))
	}
	return kinds, nil
}

func openNoCache(_ context.Context, db *simdb.DB, _ Setup) (Strategy, error) {
	return NoCache{db}, nil
}
