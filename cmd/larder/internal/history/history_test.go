package history

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

func write(v, call, ret int64) Op { return Op{Write: true, Version: v, Call: call, Return: ret} }
func read(v, call, ret int64) Op  { return Op{Process: 1, Version: v, Call: call, Return: ret} }

func TestAReadOfAnOldVersionAfterANewerOneReturnedIsStale(t *testing.T) {
	for what, c := range map[string]struct {
		ops   []Op
		stale int
		by    time.Duration
	}{
		"nothing":                            {nil, 0, 0},
		"of the newest":                      {[]Op{write(1, 1, 2), read(1, 3, 4)}, 0, 0},
		"during the write":                   {[]Op{write(1, 1, 5), read(0, 4, 9)}, 0, 0},
		"after the write":                    {[]Op{write(1, 1, 5), read(0, 6, 9)}, 1, 1},
		"of what is not yet returned":        {[]Op{write(1, 1, 5), read(1, 2, 3)}, 0, 0},
		"after a write that failed":          {[]Op{write(1, 1, never), read(0, 6, 9)}, 0, 0},
		"a newer write returned earlier":     {[]Op{write(1, 1, 50), write(2, 2, 5), read(1, 10, 11)}, 1, 5},
		"two newer, dated from the first":    {[]Op{write(1, 1, 2), write(2, 3, 5), write(3, 6, 8), read(1, 10, 11)}, 1, 5},
		"of another key":                     {[]Op{{Key: 1, Write: true, Version: 1, Call: 1, Return: 2}, read(0, 6, 9)}, 0, 0},
		"a read that failed says nothing":    {[]Op{write(1, 1, 2), read(0, 6, never)}, 0, 0},
		"one stale among many, in any order": {[]Op{read(2, 20, 21), read(1, 22, 23), write(2, 5, 7), write(1, 1, 2)}, 1, 15},
	} {
		stale, longest := Freshness(c.ops, 0)
		if len(stale) != c.stale || longest != c.by {
			t.Errorf("%s: %v, longest %v", what, stale, longest)
		}
		if within, _ := Freshness(c.ops, c.by+1); len(within) != 0 {
			t.Errorf("%s: stale within a lease of %v: %v", what, c.by+1, within)
		}
	}
}

// By trying all pairs, which is what the definition says.
func staleByDefinition(ops []Op) (n int, longest time.Duration) {
	for _, r := range ops {
		worst := time.Duration(-1)
		for _, w := range ops {
			if !r.Write && r.Return != never && w.Write && w.Return != never && w.Key == r.Key && w.Version > r.Version && w.Return < r.Call {
				worst = max(worst, time.Duration(r.Call-w.Return))
			}
		}
		if worst >= 0 {
			n++
			longest = max(longest, worst)
		}
	}
	return n, longest
}

func TestFreshnessIsWhatItsDefinitionSays(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 0))
		var ops []Op
		for range r.IntN(30) {
			op := Op{Key: r.IntN(2), Write: r.IntN(2) == 0, Version: r.Int64N(6), Call: 1 + r.Int64N(40)}
			if op.Return = op.Call + 1 + r.Int64N(20); r.IntN(6) == 0 {
				op.Return = never
			}
			ops = append(ops, op)
		}
		stale, longest := Freshness(ops, 0)
		if n, by := staleByDefinition(ops); n != len(stale) || by != longest {
			t.Fatalf("seed %d: %d stale by %v, and by definition %d by %v: %v", seed, len(stale), longest, n, by, ops)
		}
	}
}

func TestReadsThatGoBackAreNotLinearizable(t *testing.T) {
	forth := []Op{write(1, 1, 100), read(0, 2, 3), read(1, 4, 5), read(1, 6, 7)}
	back := []Op{write(1, 1, 100), read(1, 2, 3), read(0, 4, 5)} // both during the write: fresh, and yet
	failed := []Op{write(1, 1, never), read(0, 2, 3), read(1, 400, 500)}
	for _, c := range []struct {
		ops  []Op
		want porcupine.CheckResult
	}{{forth, porcupine.Ok}, {back, porcupine.Illegal}, {failed, porcupine.Ok}} {
		v := Linearizable(c.ops, 10*time.Second)
		if len(v) != 1 || v[0].Result != c.want {
			t.Errorf("%v: %v, not %v", c.ops, v, c.want)
		}
	}
	if stale, _ := Freshness(back, 0); len(stale) > 0 {
		t.Errorf("%v", stale)
	}
}

func TestKeysAreJudgedOneByOneAndAPictureIsDrawn(t *testing.T) {
	ops := []Op{write(1, 1, 100), read(1, 2, 3), read(0, 4, 5), {Key: 7, Version: 0, Call: 1, Return: 2}}
	v := Linearizable(ops, 10*time.Second)
	if !slices.EqualFunc(v, []Verdict{{Key: 0, Result: porcupine.Illegal}, {Key: 7, Result: porcupine.Ok}},
		func(a, b Verdict) bool { return a.Key == b.Key && a.Result == b.Result }) {
		t.Fatalf("%v", v)
	}
	var page bytes.Buffer
	if err := v[0].Picture(&page); err != nil || !strings.Contains(page.String(), "<html") {
		t.Errorf("the picture is %d bytes, %v", page.Len(), err)
	}
}

// Narrowing may change how long the checker takes, and not what it says.
func TestNarrowTimesGiveTheSameVerdict(t *testing.T) {
	verdicts := map[porcupine.CheckResult]int{}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		var ops []Op
		for v := range 1 + r.Int64N(4) { // versions have no gaps
			op := write(v+1, 1+v*6+r.Int64N(12), 0)
			if op.Return = op.Call + 1 + r.Int64N(12); r.IntN(4) == 0 {
				op.Return = never
			}
			ops = append(ops, op)
		}
		for range r.IntN(6) {
			call := 1 + r.Int64N(30)
			ops = append(ops, read(max(0, call/6+r.Int64N(3)-1), call, call+1+r.Int64N(8)))
		}
		ops = slices.DeleteFunc(ops, func(op Op) bool { return op.Version > 4 })
		want := porcupine.CheckOperationsTimeout(register, events(ops), 10*time.Second)
		if got := Linearizable(ops, 10*time.Second); len(got) != 1 || got[0].Result != want {
			t.Fatalf("seed %d: %v, and %v without narrowing: %v", seed, got, want, ops)
		}
		verdicts[want]++
	}
	if verdicts[porcupine.Ok] < 300 || verdicts[porcupine.Illegal] < 300 {
		t.Errorf("the histories prove little: %v", verdicts)
	}
}

func TestManyFailedWritesDoNotKeepTheCheckerBusy(t *testing.T) {
	var ops []Op
	for v := range int64(3000) {
		w := write(v+1, 10*v+1, 10*v+9)
		if v%2 == 0 {
			w.Return = never
		}
		for i := range int64(4) {
			r := read(v+1, 10*v+5+i, 10*v+12)
			r.Process = int(i)
			ops = append(ops, r)
		}
		ops = append(ops, w)
	}
	if v := Linearizable(ops, 20*time.Second); v[0].Result != porcupine.Ok {
		t.Errorf("%v", v[0].Result)
	}
}
