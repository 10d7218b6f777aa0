package storetest

import (
	"context"
	"strings"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cache/storetest/internal/reference"
)

// Subject is a store under test and what can be done to it. Only Store is
// required; the rules that need a field which is nil do not apply.
type Subject struct {
	// Store is empty.
	Store cache.Cache[string, string]
	// Peer is a second handle on the same data, as another process has it.
	Peer cache.Cache[string, string]
	// Behind says that Store may go on returning what was invalidated through
	// Peer, as cache.Tiered does: its l1 hears only of the invalidations of
	// its own process.
	Behind bool
	// InvalidateTags invalidates tags in the domain of Store.
	InvalidateTags func(ctx context.Context, tags ...string) error
	// Lose throws away any part of the store's data, or all of it, as a server
	// that is restarted empty does. It may take the data of other subjects
	// along if these are not in use by other tests: Run checks the rules that
	// call it one after the other.
	Lose func(ctx context.Context) error
	// Close closes Store.
	Close func(ctx context.Context) error
	// Unstorable is a value that Store cannot hold, such as one that is too large.
	Unstorable string
	// Hooks has each function of the user's that Store calls, such as a codec, a weight or
	// an Observer, call f first, with its name; nil for f is nothing. f may panic, and it
	// may end its goroutine.
	Hooks func(f func(name string))
	// Seed makes the concurrent rules choose the same operations again, though
	// not the same schedule. Zero stands for a random seed, which they report
	// when they fail.
	Seed uint64
}

// Reference returns the simplest store that keeps all rules: one mutex and
// maps. It never evicts and is for tests.
func Reference() Subject { return subject(reference.None) }

func subject(b reference.Bug) Subject {
	s := reference.New(b)
	return Subject{Store: s, Peer: s.Peer(), InvalidateTags: s.InvalidateTags, Lose: s.Lose, Close: s.Close,
		Unstorable: reference.Unstorable, Hooks: s.Hooks}
}

// needs are the fields of a Subject without which a rule does not apply.
type needs uint8

const (
	tags needs = 1 << iota
	peer
	upToDate // a peer, and not Behind
	loss
	closing
	unstorable
	hooks
	nothing needs = 0
)

// lacks names the fields that s would need.
func (s Subject) lacks(n needs) string {
	var out []string
	for _, f := range []struct {
		need needs
		ok   bool
		name string
	}{
		{tags, s.InvalidateTags != nil, "InvalidateTags"},
		{peer | upToDate, s.Peer != nil, "Peer"},
		{upToDate, !s.Behind, "a Store that is not Behind"},
		{loss, s.Lose != nil, "Lose"},
		{closing, s.Close != nil, "Close"},
		{unstorable, s.Unstorable != "", "Unstorable"},
		{hooks, s.Hooks != nil, "Hooks"},
	} {
		if n&f.need != 0 && !f.ok {
			out = append(out, f.name)
		}
	}
	return strings.Join(out, ", ")
}
