package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/larder-cache/larder/cmd/larder/internal/history"
)

// decideTime is how long the checker of linearizability may take for a key.
const decideTime = 30 * time.Second

// Rule is a guarantee of docs/guarantees.md as it was checked.
type Rule struct {
	Name    string
	Reads   int
	Writes  int
	Stale   int // violations
	Excused int // stale reads after a breach of A3, which are not promised
	// Longest is for how long a newer value had been there at most, for those
	// rules that allow some.
	Longest time.Duration
	// Keys are those that were checked for linearizability, of which Rejected are
	// not, and Undecided took too long.
	Keys      int
	Rejected  int
	Undecided int

	first string
}

// The rules that are checked.
const (
	ruleFresh    = "G1 no read past memory is stale"
	ruleErrors   = "G1 nor is an error of the origin"
	ruleOwn      = "G4 nor from memory, of one's own writes"
	ruleLease    = "G4 memory is no older than the lease"
	ruleCoherent = "G5 with WaitCoherent memory is not stale"
	ruleStrict   = "G2 linearizable"
	ruleLives    = "A5 nothing outlives its time, whatever clocks show"
)

var ruleNames = []string{ruleFresh, ruleErrors, ruleOwn, ruleLease, ruleCoherent, ruleStrict, ruleLives}

// judge checks the history of a round.
func judge(ops []history.Op, lease time.Duration, b breaches, processes int) map[string]*Rule {
	var by [modes][]history.Op
	for _, op := range ops {
		m := modeOf(op.Key)
		by[m] = append(by[m], op)
	}
	rules := map[string]*Rule{}
	check := func(name string, ops []history.Op, lease time.Duration) {
		r := rules[name]
		if r == nil {
			r = &Rule{Name: name}
			rules[name] = r
		}
		r.count(ops)
		stale, longest := history.Freshness(ops, lease)
		for _, s := range stale {
			if b.excuse(s) {
				r.Excused++
				continue
			}
			if r.Stale++; r.first == "" {
				r.first = s.String()
			}
		}
		if lease > 0 {
			r.Longest = max(r.Longest, longest)
		}
	}
	check(ruleFresh, by[plain], 0)
	check(ruleFresh, by[readMostly], 0)
	check(ruleErrors, by[missing], 0)
	check(ruleLease, by[memory], lease)
	for p := range processes {
		check(ruleOwn, slices.DeleteFunc(slices.Clone(by[memory]), func(op history.Op) bool { return op.Process != p }), 0)
	}
	check(ruleCoherent, by[coherent], 0)
	check(ruleStrict, by[strict], 0)
	return rules
}

func (r *Rule) count(ops []history.Op) {
	for _, op := range ops {
		if op.Write {
			r.Writes++
		} else {
			r.Reads++
		}
	}
}

// breaches are the times of servers with old data, and those when processes were killed,
// by number.
type breaches struct {
	windows []window
	killed  map[int]int64
}

// excuse reports whether a read is one of those that a server with old data may give
// before processes have noticed. It may have been asked before, and repeated. What a
// process has invalidated that is dead nobody repeats.
func (b breaches) excuse(s history.Stale) bool {
	killed, dead := b.killed[s.Newer.Process]
	return slices.ContainsFunc(b.windows, func(w window) bool {
		return s.Newer.Return <= w.to && w.from <= s.Read.Return && (s.Read.Call <= w.to || dead && killed <= w.to)
	})
}

// order checks the linearizable Loaders, and draws those keys that are not.
func (r *Rule) order(ops []history.Op, out string, seed uint64) error {
	ops = slices.DeleteFunc(slices.Clone(ops), func(op history.Op) bool { return modeOf(op.Key) != strict })
	for _, v := range history.Linearizable(ops, decideTime) {
		r.Keys++
		switch v.Result {
		case porcupine.Ok:
			continue
		case porcupine.Unknown:
			r.Undecided++
			continue
		}
		path := filepath.Join(out, fmt.Sprintf("seed-%d-key-%d.html", seed, v.Key))
		if r.Rejected++; r.first == "" {
			r.first = fmt.Sprintf("key %d cannot be put in order, see %s", v.Key, path)
		}
		if err := draw(v, path); err != nil {
			return err
		}
	}
	return nil
}

func draw(v history.Verdict, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := v.Picture(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
