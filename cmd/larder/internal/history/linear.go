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
// of the last write before it. Each key may take the time given. Verdicts are in
// the order of keys.
func Linearizable(ops []Op, each time.Duration) []Verdict {
	var out []Verdict
	for key, of := range byKey(ops) {
		var events []porcupine.Operation
		for _, op := range of {
			end := op.Return
			if end == never {
				if !op.Write {
					continue // a read that gave nothing says nothing
				}
				end = math.MaxInt64
			}
			events = append(events, porcupine.Operation{ClientId: op.Process, Input: op, Call: op.Call, Output: op.Version, Return: end})
		}
		result, info := porcupine.CheckOperationsVerbose(register, events, each)
		out = append(out, Verdict{key, len(events), result, func(w io.Writer) error { return porcupine.Visualize(register, info, w) }})
	}
	slices.SortFunc(out, func(a, b Verdict) int { return cmp.Compare(a.Key, b.Key) })
	return out
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
			return op.Version > has, op.Version
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
