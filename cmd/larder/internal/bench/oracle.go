package bench

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// oracle runs operations on a strategy and knows what they must return: it
// keeps, for each row, the newest version whose update was acknowledged.
type oracle struct {
	strategy.Strategy
	acknowledged []atomic.Uint64
	stale        atomic.Int64
}

func newOracle(s strategy.Strategy, rows int) *oracle {
	return &oracle{Strategy: s, acknowledged: make([]atomic.Uint64, rows)}
}

// do runs one operation. A read is stale if its version is older than what had
// been acknowledged when it began.
func (o *oracle) do(ctx context.Context, op workload.Op) error {
	switch op.Kind {
	case workload.Write:
		row, err := o.Write(ctx, op.On)
		if err != nil {
			return err
		}
		o.acknowledge(row)
	case workload.InvalidateTag:
		rows, err := o.UpdateGroup(ctx, op.On)
		if err != nil {
			return err
		}
		for _, row := range rows {
			o.acknowledge(row)
		}
	default:
		due := o.acknowledged[op.On].Load()
		row, err := o.Get(ctx, op.On)
		if err != nil {
			return err
		}
		if row.ID != op.On {
			return fmt.Errorf("row %d was read and row %d came", op.On, row.ID)
		}
		if row.Version < due {
			o.stale.Add(1)
		}
	}
	return nil
}

func (o *oracle) acknowledge(row simdb.Row) {
	version := &o.acknowledged[row.ID]
	for {
		old := version.Load()
		if old >= row.Version || version.CompareAndSwap(old, row.Version) {
			return
		}
	}
}
