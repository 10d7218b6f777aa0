package bench

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/larder-cache/larder/cmd/larder/internal/oracle"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
)

// checked runs operations on a strategy and knows what they must return.
type checked struct {
	strategy.Strategy
	due   oracle.Oracle
	stale atomic.Int64
}

func newChecked(s strategy.Strategy, rows int) *checked {
	return &checked{Strategy: s, due: oracle.New(rows)}
}

// do runs one operation. A read is stale if its version is older than what had
// been acknowledged when it began.
func (o *checked) do(ctx context.Context, op workload.Op) error {
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
		due := o.due.Due(uint64(op.On))
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

func (o *checked) acknowledge(row simdb.Row) { o.due.Acknowledge(uint64(row.ID), row.Version) }
