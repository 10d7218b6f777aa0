// Package sqltx runs transactions of database/sql and says how they have ended, which
// Mutate and writethrough want to know.
//
//	err := space.Mutate(ctx, targets, func(ctx context.Context) error {
//		return sqltx.Run(ctx, db, &sqltx.Options{Database: sqltx.PostgreSQL}, func(ctx context.Context, tx *sql.Tx) error {
//			_, err := tx.ExecContext(ctx, "UPDATE users SET name = $1 WHERE id = $2", name, id)
//			return err
//		})
//	})
package sqltx

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/doubt"
)

// Options change how a transaction runs. The zero Options are the defaults.
type Options struct {
	sql.TxOptions
	// Database asks how a transaction has ended whose COMMIT was not answered. Without
	// it such a write is in doubt until a time is over: see
	// invalidation.Mutation.DecidedWithin.
	Database *Database
}

// Database has the queries by which a database says how a transaction has ended.
type Database struct {
	// ID returns, inside a transaction, one text that names it, or NULL if it has
	// changed nothing.
	ID string
	// Decided takes that text as its argument and returns, outside of the transaction,
	// whether it was committed or rolled back. It must be answered by the server that
	// the transaction ran on, not by a replica.
	Decided string
}

// PostgreSQL asks PostgreSQL, from version 13 on. It costs a round trip before the
// COMMIT.
var PostgreSQL = &Database{
	ID:      "SELECT pg_current_xact_id_if_assigned()::text",
	Decided: "SELECT pg_xact_status($1::text::xid8) IS DISTINCT FROM 'in progress'",
}

// Run begins a transaction, calls fn with it, and commits. If fn returns an error or
// panics, the transaction is rolled back. fn must not end the transaction itself.
//
// An error that wraps cache.ErrNotCommitted, beside its cause, says that nothing was
// committed: fn has failed, or the database has refused the COMMIT. An error that is a
// *cache.InDoubtError says that the COMMIT was not answered, and knows how to ask.
func Run(ctx context.Context, db *sql.DB, o *Options, fn func(context.Context, *sql.Tx) error) error {
	if o == nil {
		o = &Options{}
	}
	tx, err := db.BeginTx(ctx, &o.TxOptions)
	if err != nil {
		return notCommitted{err}
	}
	committing := false
	defer func() {
		if !committing {
			tx.Rollback() // without COMMIT there is nothing to be in doubt about
		}
	}()
	if err := fn(ctx, tx); err != nil {
		return notCommitted{err}
	}
	var id sql.NullString
	if o.Database != nil {
		if err := tx.QueryRowContext(ctx, o.Database.ID).Scan(&id); err != nil {
			return notCommitted{fmt.Errorf("larder: sqltx: the transaction cannot be named: %w", err)}
		}
	}
	committing = true
	err = tx.Commit()
	switch {
	case err == nil:
		return nil
	case doubt.Decided(err), o.Database != nil && !id.Valid: // which has changed nothing
		return notCommitted{err}
	case o.Database == nil:
		return &cache.InDoubtError{Err: err}
	}
	return &cache.InDoubtError{Err: err, Decided: func(ctx context.Context) (decided bool, err error) {
		err = db.QueryRowContext(ctx, o.Database.Decided, id.String).Scan(&decided)
		return decided, err
	}}
}

// notCommitted is an error of a transaction of which nothing was committed.
type notCommitted struct{ err error }

func (e notCommitted) Error() string   { return e.err.Error() }
func (e notCommitted) Unwrap() []error { return []error{e.err, cache.ErrNotCommitted} }
