package verify

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Scores are what a run has found.
type Scores struct {
	Sites []*Site
	// Violations are what was not as promised, with the seeds that show it.
	Violations []Violation
	// Undecided is for how many keys it could not be told in time whether they are
	// linearizable.
	Undecided int

	config Config
}

// Violation is something that was not as promised.
type Violation struct {
	Seed     uint64
	Topology string
	What     string
}

// Site sums up the rounds on one kind of servers.
type Site struct {
	Topology        string
	Info            string
	Rounds          int
	Took            time.Duration
	Operations      int
	Hits            int64
	Loads           int64
	Failed          int64
	Faults          map[string]int
	Failures        int
	Rules           map[string]*Rule
	Seeds           []uint64
	Resumed         time.Duration
	FullJournals    int
	Checking        time.Duration
	lastFailedFault string
}

func newScores(c Config) *Scores { return &Scores{config: c} }

// operations is how many operations a round has checked. A read counts once, though
// several rules look at it.
func (r *round) operations() (n int) {
	for name, rule := range r.rules {
		if name != ruleOwn && name != ruleLives {
			n += rule.Reads + rule.Writes
		}
	}
	return n
}

func (r *round) line(w io.Writer) {
	faults := 0
	for name, n := range r.faults {
		if !strings.HasPrefix(name, " ") {
			faults += n
		}
	}
	breach := ""
	if r.breach {
		breach = ", old data"
	}
	limited := 0
	for i := range r.Processes {
		if r.limited(i) {
			limited++
		}
	}
	if limited > 0 {
		breach += fmt.Sprintf(", %d processes without INFO", limited)
	}
	fmt.Fprintf(w, "seed %d  %-8s  %5.1f s  %7d operations  %3d faults%s  %d violations\n",
		r.seed, r.topology, r.took.Seconds(), r.operations(), faults, breach, len(r.violations()))
	for _, v := range r.violations() {
		fmt.Fprintln(w, "  VIOLATION:", v)
	}
}

// add adds a round.
func (b *Scores) add(r *round) {
	var s *Site
	for _, have := range b.Sites {
		if have.Topology == string(r.topology) {
			s = have
		}
	}
	if s == nil {
		s = &Site{Topology: string(r.topology), Info: r.info, Faults: map[string]int{}, Rules: map[string]*Rule{}}
		b.Sites = append(b.Sites, s)
	}
	s.Rounds++
	s.Took += r.took
	s.Operations += r.operations()
	s.Seeds = append(s.Seeds, r.seed)
	s.Resumed = max(s.Resumed, r.resumed)
	s.Checking += r.checking
	for _, t := range r.modes {
		s.Hits, s.Loads, s.Failed = s.Hits+t.hits, s.Loads+t.loads, s.Failed+t.failed
	}
	for name, n := range r.faults {
		s.Faults[name] += n
	}
	if s.Failures += len(r.failed); len(r.failed) > 0 {
		s.lastFailedFault = r.failed[len(r.failed)-1]
	}
	if r.full {
		s.FullJournals++
	}
	for name, rule := range r.rules {
		sum := s.Rules[name]
		if sum == nil {
			sum = &Rule{Name: name}
			s.Rules[name] = sum
		}
		sum.Reads, sum.Writes = sum.Reads+rule.Reads, sum.Writes+rule.Writes
		sum.Stale, sum.Excused = sum.Stale+rule.Stale, sum.Excused+rule.Excused
		sum.Longest = max(sum.Longest, rule.Longest)
		sum.Keys, sum.Rejected, sum.Undecided = sum.Keys+rule.Keys, sum.Rejected+rule.Rejected, sum.Undecided+rule.Undecided
		b.Undecided += rule.Undecided
	}
	for _, v := range r.violations() {
		b.Violations = append(b.Violations, Violation{r.seed, string(r.topology), v})
	}
}

// Text prints the scores.
func (b *Scores) Text(w io.Writer) {
	for _, s := range b.Sites {
		fmt.Fprintf(w, "\n%s: %s\n", strings.ToUpper(s.Topology), s.Info)
		fmt.Fprintf(w, "%d rounds in %v, seeds %d to %d, %d processes, lease %v\n",
			s.Rounds, s.Took.Round(time.Second), s.Seeds[0], s.Seeds[len(s.Seeds)-1], b.config.Processes, b.config.Lease)
		fmt.Fprintf(w, "%d operations checked in %v; %d hits, %d loads, %d without a result because of a fault; memory serves again %v after the last fault\n",
			s.Operations, s.Checking.Round(100*time.Millisecond), s.Hits, s.Loads, s.Failed, s.Resumed.Round(time.Millisecond))
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "guarantee\treads\twrites\tviolations\t \t")
		for _, name := range ruleNames {
			if r := s.Rules[name]; r != nil && r.Reads > 0 {
				fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t\n", r.Name, r.Reads, r.Writes, r.Stale+r.Rejected, r.remark(b.config.Lease))
			}
		}
		t.Flush()
		fmt.Fprintln(w, "faults:")
		for _, name := range slices.Sorted(maps.Keys(s.Faults)) {
			fmt.Fprintf(w, "  %6d  %s\n", s.Faults[name], strings.TrimSpace(name))
		}
		if s.Failures > 0 {
			fmt.Fprintf(w, "  %6d  could not be made; the last: %s\n", s.Failures, s.lastFailedFault)
		}
		if s.FullJournals > 0 {
			fmt.Fprintf(w, "  in %d rounds a journal was full, and its process stopped early\n", s.FullJournals)
		}
	}
	fmt.Fprintln(w)
	if len(b.Violations) == 0 {
		fmt.Fprintf(w, "0 violations\n")
		return
	}
	fmt.Fprintf(w, "%d VIOLATIONS\n", len(b.Violations))
	for _, v := range b.Violations {
		target := "spawn-" + v.Topology
		if b.config.Remote != nil {
			target = "(the same)"
		}
		fmt.Fprintf(w, "  %s\n    again: larder verify --redis %s --seed %d --rounds 1\n", v.What, target, v.Seed)
	}
}

// remark says what the figures of a rule do not.
func (r *Rule) remark(lease time.Duration) string {
	switch {
	case r.Name == ruleLease:
		return fmt.Sprintf("longest %v of %v", r.Longest.Round(100*time.Microsecond), lease)
	case r.Name == ruleLives:
		return fmt.Sprintf("longest %v of %v", r.Longest.Round(time.Millisecond), life)
	case r.Undecided > 0:
		return fmt.Sprintf("%d of %d keys accepted, %d undecided", r.Keys-r.Rejected-r.Undecided, r.Keys, r.Undecided)
	case r.Keys > 0:
		return fmt.Sprintf("%d of %d keys accepted", r.Keys-r.Rejected, r.Keys)
	case r.Excused > 0:
		return fmt.Sprintf("and %d after a return of old data", r.Excused)
	}
	return ""
}
