package strategy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/redis/go-redis/v9"
)

// Setup is what strategies are made of, besides a database.
type Setup struct {
	Capacity  int           // entries of L1
	TTL       time.Duration // how long entries are fresh
	Redis     redis.UniversalClient
	Namespace string // of all keys in Redis
}

// Kind is a way to make a strategy.
type Kind struct {
	Name string // in tables
	Flag string // on the command line
	open func(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error)
}

// Open makes a strategy of this kind. Its cache is empty.
func (k Kind) Open(ctx context.Context, db *simdb.DB, s Setup) (Strategy, error) {
	s.Namespace += "-" + k.Flag
	return k.open(ctx, db, s)
}

// Catalog returns all kinds in the order in which they are compared.
func Catalog() []Kind {
	return []Kind{
		{"no cache", "none", openNoCache},
		{"L1 only", "l1", openL1},
		{"L2 only", "l2", openL2},
		{"L1+L2 cache-aside", "aside", openAside},
		{"write-through", "write-through", openWriteThrough},
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
