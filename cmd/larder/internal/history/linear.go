package history

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Verdict is what the linearizability checker says of a key.
type Verdict struct {
	Key     int
	Ops     int
	Result  porcupine.CheckResult
	picture func(io.Writer) error
}

// Linearizable checks each key on its own: whether there is an order of all its
// operations, that agrees with their times, in which each read has the version
// of the last write before it. The versions of a key must be without gaps: writes
// that have failed belong to ops. Each key may take the time given. Verdicts are in the order
// of keys.
func Linearizable(ops []Op, each time.Duration) []Verdict {
	var out []Verdict
	for key, of := range byKey(ops) {
		of = slices.DeleteFunc(of, func(op Op) bool { return !op.Write && op.Return == never }) // says nothing
		tight, possible := narrow(of)
		result, info := porcupine.CheckOperationsVerbose(register, events(tight), each)
		if !possible {
			// A picture of it, however far the checker gets.
			_, info = porcupine.CheckOperationsVerbose(register, events(of), each)
			result = porcupine.Illegal
		}
		out = append(out, Verdict{key, len(of), result, func(w io.Writer) error { return porcupine.Visualize(register, info, w) }})
	}
	slices.SortFunc(out, func(a, b Verdict) int { return cmp.Compare(a.Key, b.Key) })
	return out
}

func events(ops []Op) []porcupine.Operation {
	out := make([]porcupine.Operation, len(ops))
	for i, op := range ops {
		end := op.Return
		if end == never {
			end = math.MaxInt64
		}
		out[i] = porcupine.Operation{ClientId: op.Process, Input: op, Call: op.Call, Output: op.Version, Return: end}
	}
	return out
}

// narrow takes from the times of each operation those at which it cannot have
// happened, given that versions come in their order without gaps: not before what
// has to do with an older version was called, and not after what has to do with a
// newer one returned. Failed writes that nothing came of are left out. It returns
// false if some operation has no time left.
//
// Ops are linearizable if and only if each has: the times at which they begin
// after the first pass are an order of them. The checker, which knows nothing of
// this, is asked all the same; but it need not try writes that have failed at all
// times until the end.
func narrow(ops []Op) (out []Op, possible bool) {
	out = slices.Clone(ops)
	for i := range out {
		if out[i].Return == never {
			out[i].Return = math.MaxInt64
		}
	}
	// A read of a version is after its write, which is after all of older versions.
	rank := func(op Op) int64 {
		if op.Write {
			return 2 * op.Version
		}
		return 2*op.Version + 1
	}
	slices.SortFunc(out, func(a, b Op) int { return cmp.Compare(rank(a), rank(b)) })
	least, next := int64(math.MinInt64), int64(math.MinInt64)
	for i := range out {
		if i > 0 && rank(out[i]) != rank(out[i-1]) {
			least = next
		}
		out[i].Call = max(out[i].Call, least)
		next = max(next, out[i].Call)
	}
	most, next := int64(math.MaxInt64), int64(math.MaxInt64)
	possible = true
	for i := len(out) - 1; i >= 0; i-- {
		if i+1 < len(out) && rank(out[i]) != rank(out[i+1]) {
			most = next
		}
		out[i].Return = min(out[i].Return, most)
		next = min(next, out[i].Return)
		possible = possible && out[i].Call <= out[i].Return
	}
	return slices.DeleteFunc(out, func(op Op) bool { return op.Return == math.MaxInt64 }), possible
}

// Picture writes a page of HTML that shows the operations and how far they could
// be put in order.
func (v Verdict) Picture(w io.Writer) error { return v.picture(w) }

// register is a value that is read and written. Writes are in the order of their
// versions, which is that in which the origin has committed them.
var register = porcupine.Model{
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		op, has := input.(Op), state.(int64)
		if op.Write {
			return op.Version == has+1, op.Version
		}
		return output.(int64) == has, has
	},
	DescribeOperation: func(input, output any) string {
		if op := input.(Op); op.Write {
			return fmt.Sprintf("write %d", op.Version)
		}
		return fmt.Sprintf("read %d", output)
	},
	DescribeState: func(state any) string { return fmt.Sprint(state) },
}
