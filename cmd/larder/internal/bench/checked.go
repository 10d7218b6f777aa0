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
	seq   workload.Sequence
	due   oracle.Oracle
	stale atomic.Int64
}

func newChecked(s strategy.Strategy, seq workload.Sequence, rows int) *checked {
	return &checked{Strategy: s, seq: seq, due: oracle.New(rows)}
}

// do runs the i-th operation, and returns its kind and how many rows it asked for.
func (o *checked) do(ctx context.Context, i int) (kind workload.Kind, rows int, err error) {
	op := o.seq.At(i)
	switch op.Kind {
	case workload.Write, workload.Insert:
		return op.Kind, 0, o.write(ctx, op.On)
	case workload.InvalidateTag:
		updated, err := o.UpdateGroup(ctx, op.On)
		for _, row := range updated {
			o.acknowledge(row)
		}
		return op.Kind, 0, err
	case workload.GetMany, workload.Scan:
		rows, err = o.getMany(ctx, i)
		return op.Kind, rows, err
	}
	if err = o.get(ctx, op.On); err == nil && op.Kind == workload.ReadWrite {
		err = o.write(ctx, op.On)
	}
	return op.Kind, 1, err
}

func (o *checked) get(ctx context.Context, id uint32) error {
	due := o.due.Due(uint64(id))
	row, err := o.Get(ctx, id)
	if err != nil {
		return err
	}
	return o.check(id, row, due)
}

func (o *checked) getMany(ctx context.Context, i int) (int, error) {
	ids := o.seq.Rows(make([]uint32, 0, o.seq.At(i).N), i, len(o.due))
	due := make([]uint64, len(ids))
	for j, id := range ids {
		due[j] = o.due.Due(uint64(id))
	}
	rows, err := o.GetMany(ctx, ids)
	if err != nil {
		return 0, err
	}
	for j, id := range ids {
		if err := o.check(id, rows[j], due[j]); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// check counts a read. It is stale if its version is older than what had been
// acknowledged when it began.
func (o *checked) check(id uint32, row simdb.Row, due uint64) error {
	if row.ID != id {
		return fmt.Errorf("row %d was read and row %d came", id, row.ID)
	}
	if row.Version < due {
		o.stale.Add(1)
	}
	return nil
}

func (o *checked) write(ctx context.Context, id uint32) error {
	row, err := o.Write(ctx, id)
	if err != nil {
		return err
	}
	o.acknowledge(row)
	return nil
}

func (o *checked) acknowledge(row simdb.Row) { o.due.Acknowledge(uint64(row.ID), row.Version) }
