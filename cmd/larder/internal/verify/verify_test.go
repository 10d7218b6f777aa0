//go:build linux || darwin

package verify

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/history"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/redistest"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == WorkerCommand {
		if err := Work(context.Background(), os.Stdin); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(redistest.Main(m))
}

func config(t *testing.T, round time.Duration) Config {
	return Config{Spawn: []string{"single"}, Time: time.Minute, Rounds: 1, Round: round, Processes: 3, Seed: 1, Lease: 200 * time.Millisecond, Out: t.TempDir()}
}

func verify(t *testing.T, c Config) (*Scores, string) {
	t.Helper()
	var out bytes.Buffer
	b, err := Run(t.Context(), c, &out)
	b.Text(&out)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	t.Logf("%s", out.String())
	return b, out.String()
}

// holds makes rounds in which nothing may be violated until one has proven enough, and
// returns what that has printed. A machine that is busy gets less far in a round.
func holds(t *testing.T, c Config, enough func(*Site) bool) string {
	t.Helper()
	for range 5 { // it takes one, mostly
		b, out := verify(t, c)
		if len(b.Violations) > 0 || b.Undecided > 0 {
			t.Fatalf("%v, %d undecided", b.Violations, b.Undecided)
		}
		if enough(b.Sites[0]) {
			return out
		}
	}
	t.Fatal("no round proves enough")
	return ""
}

// A cluster is attacked by make test, without the race detector: with it, six
// servers and three processes are too much for two cores.
func TestWhatIsGuaranteedHoldsUnderFaults(t *testing.T) {
	out := holds(t, config(t, 5*time.Second), func(s *Site) bool {
		return s.Operations >= 1000 && len(s.Faults) >= 5 && s.Rules[ruleStrict].Keys == rowsOfMode && s.Rules[ruleLives].Longest >= freshTime/2 && s.Rules[ruleErrors].Reads >= 200
	})
	for _, part := range []string{"0 violations", "guarantee", "12 of 12 keys accepted", "seeds 1 to 1"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in the output", part)
		}
	}
}

// A primary loses its place behind the address that leads to it, and connections from
// before lead to what has become a replica.
func TestVerify_APrimaryMovesBehindItsAddress(t *testing.T) {
	c := config(t, 5*time.Second)
	c.Spawn, c.Seed = []string{"address"}, 1553
	out := holds(t, c, func(s *Site) bool {
		return s.Faults["primary moved behind its address"]+s.Faults["primary demoted behind its address"] > 0
	})
	if !strings.Contains(out, "3 processes without INFO") {
		t.Error("the output does not say who lacks which right")
	}
}

// A server comes back with old data, and nobody may ask it by INFO whether it is the same.
func TestVerify_OldDataIsNoticedWithoutTheRightToCallINFO(t *testing.T) {
	c := config(t, 5*time.Second)
	c.Seed = 1196
	out := holds(t, c, func(s *Site) bool { return s.Faults["server killed, back with old data"] > 0 })
	if !strings.Contains(out, "old data, 3 processes without INFO") {
		t.Error("the output does not say who lacks which right")
	}
}

// finds makes rounds until something against each rule was found, and returns what the
// last one has printed.
func finds(t *testing.T, c Config, rules ...string) string {
	t.Helper()
	for range 10 { // it takes one, mostly
		b, out := verify(t, c)
		found := fmt.Sprint(b.Violations)
		rules = slices.DeleteFunc(rules, func(rule string) bool { return strings.Contains(found, rule) })
		if len(rules) == 0 {
			return out
		}
		c.Seed++
	}
	t.Fatalf("nothing against %q", rules)
	return ""
}

// Who invalidates before the commit breaks A2: then the run must fail.
func TestInvalidationsBeforeTheCommitAreFound(t *testing.T) {
	c := config(t, 4*time.Second)
	c.mistake = invalidateFirst
	out := finds(t, c, ruleFresh, ruleCoherent, ruleStrict) // errors are few: see TestEachRuleJudgesItsOwn
	if !strings.Contains(out, "again: larder verify --redis spawn-single --seed ") || !strings.Contains(out, " --rounds 1") {
		t.Error("the output does not say how to repeat it")
	}
	if pictures, _ := os.ReadDir(c.Out); len(pictures) == 0 {
		t.Error("no picture is drawn of what cannot be put in order")
	}
}

func TestLives_AValueThatIsTooOldIsAViolation(t *testing.T) {
	a, b := &journal{}, &journal{}
	a.ages.read(life)
	b.ages.read(life + grace)
	b.ages.read(-time.Second) // it was loaded for this read
	r := round{rules: map[string]*Rule{ruleLives: lives([]*journal{a, b})}}
	if got := r.rules[ruleLives]; got.Reads != 3 || got.Longest != life+grace || len(r.violations()) != 0 {
		t.Errorf("%+v: %v", got, r.violations())
	}
	a.ages.read(life + grace + 1)
	r.rules[ruleLives] = lives([]*journal{a, b})
	if got := r.violations(); len(got) != 1 || !strings.Contains(got[0], ruleLives) {
		t.Errorf("%q", got)
	}
}

func TestProcessesHaveClocksOfTheirOwn(t *testing.T) {
	seen := map[time.Duration]bool{}
	for n := range 64 {
		seen[skewOf(1, n)] = true
		if skewOf(1, n) != skewOf(1, n) {
			t.Errorf("process %d has another clock the next time", n)
		}
	}
	if len(seen) < 5 || !seen[time.Minute] || !seen[-time.Minute] {
		t.Errorf("the clocks are ahead by %v", seen)
	}
}

// Who takes the error of a commit that is on its way for a rollback has old values stored
// before it arrives.
func TestVerify_CommitsThatArriveLateAreFoundIfTheyAreReleasedInDoubt(t *testing.T) {
	c := config(t, 5*time.Second)
	c.mistake = releaseInDoubt
	if out := finds(t, c, ruleFresh); !strings.Contains(out, " commits late") {
		t.Errorf("no commit was late: %s", out)
	}
}

func TestAServerThatRemainsIsLeftAsItWas(t *testing.T) {
	redis := redistest.Private(t)
	target, err := server.ParseTarget(redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	s, err := target.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Client.Set(t.Context(), "of somebody else", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	c := config(t, 4*time.Second)
	c.Remote, c.Spawn = s, nil
	holds(t, c, func(s *Site) bool { return s.Faults["keys deleted"] > 0 })
	if keys, err := s.Client.Keys(t.Context(), "*").Result(); len(keys) != 1 || keys[0] != "of somebody else" || err != nil {
		t.Errorf("the server has %q, %v", keys, err)
	}
	stats, err := s.Client.Info(t.Context(), "commandstats").Result()
	if err != nil || !strings.Contains(stats, "cmdstat_evalsha") {
		t.Fatalf("%v: %s", err, stats)
	}
	for _, no := range []string{"flush", "config", "shutdown", "debug", "client|kill", "client|pause", "save"} {
		if strings.Contains(stats, no) {
			t.Errorf("it was told to %s", no)
		}
	}
}

func TestASeedAlwaysChoosesTheSameFaults(t *testing.T) {
	s := &site{topology: cluster, own: true}
	names := func(seed uint64, s *site, breach bool) (out []string) {
		for _, of := range plan(seed, s, 3, time.Minute, breach) {
			for _, st := range of {
				out = append(out, st.String())
			}
		}
		return out
	}
	if a, b := names(7, s, false), names(7, s, false); !reflect.DeepEqual(a, b) {
		t.Errorf("one seed gives %v and %v", a, b)
	}
	if reflect.DeepEqual(names(7, s, false), names(8, s, false)) {
		t.Error("two seeds give the same")
	}
	for i := range faults {
		f := &faults[i]
		on := &site{topology: single, own: true}
		if f.on != nil {
			on.topology = f.on[0]
		}
		all := strings.Join(names(1, on, true), "\n")
		if !strings.Contains(all, f.name) {
			t.Errorf("%q does not come in a minute on %s", f.name, on.topology)
		}
		remote := strings.Join(names(1, &site{topology: on.topology}, false), "\n")
		if strings.Contains(remote, f.name) == f.own {
			t.Errorf("%q on a server that is not ours: %v", f.name, !f.own)
		}
	}
}

func TestEachRuleJudgesItsOwn(t *testing.T) {
	at := func(m mode, process int, write bool, version, call, ret int64) history.Op {
		return history.Op{Key: int(m) * rowsOfMode, Process: process, Write: write, Version: version, Call: call, Return: ret}
	}
	lease := 100 * time.Nanosecond
	none, old := breaches{}, breaches{windows: []window{{20, 50}}}
	for what, c := range map[string]struct {
		ops   []history.Op
		b     breaches
		stale map[string]int
	}{
		"past memory":                       {[]history.Op{at(plain, 0, true, 1, 1, 2), at(plain, 1, false, 0, 3, 4)}, none, map[string]int{ruleFresh: 1}},
		"memory within the lease":           {[]history.Op{at(memory, 0, true, 1, 1, 2), at(memory, 1, false, 0, 102, 103)}, none, nil},
		"memory after the lease":            {[]history.Op{at(memory, 0, true, 1, 1, 2), at(memory, 1, false, 0, 103, 104)}, none, map[string]int{ruleLease: 1}},
		"memory of the writer":              {[]history.Op{at(memory, 1, true, 1, 1, 2), at(memory, 1, false, 0, 3, 4)}, none, map[string]int{ruleOwn: 1}},
		"coherent":                          {[]history.Op{at(coherent, 0, true, 1, 1, 2), at(coherent, 1, false, 0, 3, 4)}, none, map[string]int{ruleCoherent: 1}},
		"an error":                          {[]history.Op{at(missing, 0, true, 1, 1, 2), at(missing, 1, false, 0, 3, 4)}, none, map[string]int{ruleErrors: 1}},
		"strict":                            {[]history.Op{at(strict, 0, true, 1, 1, 2), at(strict, 1, false, 0, 3, 4)}, none, map[string]int{ruleStrict: 1}},
		"while old data is back":            {[]history.Op{at(plain, 0, true, 1, 1, 2), at(plain, 1, false, 0, 30, 40)}, old, nil},
		"after it should be noticed":        {[]history.Op{at(plain, 0, true, 1, 1, 2), at(plain, 1, false, 0, 60, 70)}, old, map[string]int{ruleFresh: 1}},
		"after its writer was killed":       {[]history.Op{at(plain, 0, true, 1, 1, 2), at(plain, 1, false, 0, 60, 70)}, breaches{old.windows, map[int]int64{0: 50}}, nil},
		"after its writer was killed later": {[]history.Op{at(plain, 0, true, 1, 1, 2), at(plain, 1, false, 0, 60, 70)}, breaches{old.windows, map[int]int64{0: 51, 1: 2}}, map[string]int{ruleFresh: 1}},
		"what was written after that":       {[]history.Op{at(plain, 0, true, 1, 55, 60), at(plain, 1, false, 0, 70, 71)}, old, map[string]int{ruleFresh: 1}},
		"answered by the old data":          {[]history.Op{at(plain, 0, true, 1, 1, 2), at(plain, 1, false, 0, 10, 21)}, old, nil},
		"before the old data came back":     {[]history.Op{at(plain, 0, true, 1, 1, 2), at(plain, 1, false, 0, 10, 11)}, old, map[string]int{ruleFresh: 1}},
		"a write that did not return":       {[]history.Op{at(plain, 0, true, 1, 1, 0), at(plain, 1, false, 0, 3, 4)}, none, nil},
		"a read while the write is done":    {[]history.Op{at(plain, 0, true, 1, 1, 9), at(plain, 1, false, 0, 3, 4)}, none, nil},
	} {
		for name, r := range judge(c.ops, lease, c.b, 2) {
			if r.Stale != c.stale[name] {
				t.Errorf("%s: %q is violated %d times", what, name, r.Stale)
			}
		}
	}
}

func TestAWriteThatAKilledProcessCouldNotNoteIsNoViolation(t *testing.T) {
	var b board
	b.version[int(strict)*rowsOfMode].Store(2)
	j := new(journal)
	j.begin(int(strict)*rowsOfMode, true) // and killed: its version is 1
	w := j.begin(int(strict)*rowsOfMode, true)
	w.version = 2
	w.end()
	r := j.begin(int(strict)*rowsOfMode, false)
	r.version = 2
	r.end()
	ops := j.ops(0)
	ops = append(ops, b.missing(ops)...)
	if len(ops) != 3 {
		t.Fatalf("%v", ops)
	}
	rule := &Rule{}
	if err := rule.order(ops, t.TempDir(), 1); err != nil || rule.Rejected != 0 || rule.Keys != 1 {
		t.Errorf("%+v, %v", rule, err)
	}
}
