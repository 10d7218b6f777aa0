// Package strategy holds the ways to use a cache that a benchmark compares.
package strategy

import (
	"context"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// Strategy answers operations from a database and perhaps a cache. Its methods
// may be called at once from many goroutines.
type Strategy interface {
	// Get returns a row, from wherever the strategy has it.
	Get(ctx context.Context, id uint32) (simdb.Row, error)
	// GetMany returns rows, in the order in which they are asked for.
	GetMany(ctx context.Context, ids []uint32) ([]simdb.Row, error)
	// Write updates a row. After nil, nobody may be given an older version.
	Write(ctx context.Context, id uint32) (simdb.Row, error)
	// UpdateGroup updates the rows of a group. After nil, nobody may be given
	// an older version of them.
	UpdateGroup(ctx context.Context, group uint32) ([]simdb.Row, error)
	// Close ends the use of the strategy.
	Close(ctx context.Context) error
}

// NoCache asks the database for everything.
type NoCache struct{ *simdb.DB }

// Get reads the row.
func (n NoCache) Get(ctx context.Context, id uint32) (simdb.Row, error) { return n.Read(ctx, id) }

// GetMany reads the rows by one query.
func (n NoCache) GetMany(ctx context.Context, ids []uint32) ([]simdb.Row, error) {
	return n.ReadMany(ctx, ids)
}

// Close does nothing.
func (NoCache) Close(context.Context) error { return nil }
