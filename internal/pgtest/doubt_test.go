package pgtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/sqltx"
	"github.com/larder-cache/larder/writethrough"
)

const (
	rounds = 2
	// readTime is for how long readers have the chance to store an old value.
	readTime = 30 * time.Millisecond
)

// write is a way to change a row to a version.
type write func(ctx context.Context, id, version int) error

func (o *origin) native(ctx context.Context, id, version int) error {
	return pgx.BeginFunc(ctx, o.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE "+o.table+" SET version = $2 WHERE id = $1", id, version)
		return err
	})
}

func (o *origin) standard(options *sqltx.Options) write {
	return func(ctx context.Context, id, version int) error {
		return sqltx.Run(ctx, o.db, options, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE "+o.table+" SET version = $2 WHERE id = $1", id, version)
			return err
		})
	}
}

// through is a way to write through the cache.
type through func(p *process, w write) write

var throughs = map[string]through{
	"Mutate of a key": mutate(func(p *process, id int) invalidation.Target { return p.users.Key(id) }),
	"Mutate of a tag": mutate(func(*process, int) invalidation.Target { return invalidation.Tag("users") }),
	"Writer": func(p *process, w write) write {
		save := writethrough.New(p.store, func(u account) int { return u.ID }, func(ctx context.Context, u account) (account, error) {
			return u, w(ctx, u.ID, u.Version)
		}, invalidation.TTL(time.Hour), &writethrough.Options[int, account]{DecidedWithin: time.Minute})
		return func(ctx context.Context, id, version int) error { return save.Save(ctx, account{id, version}) }
	},
	"Delete": func(p *process, w write) write {
		return func(ctx context.Context, id, version int) error {
			return writethrough.Delete(p.store, func(ctx context.Context, id int) error { return w(ctx, id, version) },
				&writethrough.DeleteOptions[int]{DecidedWithin: time.Minute})(ctx, id)
		}
	},
}

func mutate(target func(p *process, id int) invalidation.Target) through {
	return func(p *process, w write) write {
		return func(ctx context.Context, id, version int) error {
			return p.space.Run(ctx, invalidation.Mutation{
				Targets: []invalidation.Target{target(p, id)}, DecidedWithin: time.Minute,
			}, func(ctx context.Context) error { return w(ctx, id, version) })
		}
	}
}

// ways are the functions that write, and what happens to their COMMIT.
var ways = []struct {
	name string
	w    func(*origin) write
	cut  bool
}{
	{"pgx, caller leaves", func(o *origin) write { return o.native }, false},
	{"pgx, connection cut", func(o *origin) write { return o.native }, true},
	{"sqltx that asks, caller leaves", func(o *origin) write { return o.standard(asking) }, false},
	{"sqltx that asks, connection cut", func(o *origin) write { return o.standard(asking) }, true},
	{"sqltx, caller leaves", func(o *origin) write { return o.standard(nil) }, false},
}

var asking = &sqltx.Options{Database: sqltx.PostgreSQL}

// cancels reports whether a COMMIT that was let through was cancelled: pgx asks for that when
// a connection breaks, which PostgreSQL may hear before the COMMIT has ended.
func (o *origin) cancels(version int) bool {
	o.eventually("no transaction is under way", func() bool {
		var n int
		must(o.t, o.direct.QueryRowContext(o.t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL").Scan(&n))
		return n == 0
	})
	u, err := o.load(o.t.Context(), 1)
	must(o.t, err)
	return u.Version == version
}

// A COMMIT that arrives after its writer was told of an error must not leave the old
// value in the cache, however it comes to be late.
func TestInDoubt_ACommitThatArrivesLateLeavesNothingOld(t *testing.T) {
	for name, via := range throughs {
		for _, way := range ways {
			t.Run(name+"/"+way.name, func(t *testing.T) {
				o := newOrigin(t)
				p := o.process()
				change := via(p, way.w(o))
				for round, cancelled := 0, 0; round < rounds; round++ {
					p.warm(o, 1)
					ctx, let := o.hold(way.cut)
					err := change(ctx, 1, round+1)
					var doubt *cache.InDoubtError
					if !errors.Is(err, cache.ErrInDoubt) || !errors.As(err, &doubt) {
						t.Fatalf("the error is %v", err)
					}
					// Readers have the old value, and must not store it.
					for end := time.Now().Add(readTime); time.Now().Before(end); {
						if got, stored := p.version(t, 1), p.stored(t, 1); got != round || stored {
							t.Fatalf("before the COMMIT arrives %d is read, not %d, and stored: %v", got, round, stored)
						}
					}
					let()
					if way.cut && o.cancels(round) { // it is made again
						if cancelled++; cancelled == 10 {
							t.Fatal("no COMMIT arrives")
						}
						round--
						continue
					}
					o.until(1, round+1)
					if got := p.version(t, 1); got != round+1 {
						t.Fatalf("%d is read, the database has %d", got, round+1)
					}
					if doubt.Decided == nil {
						return // the time decides, which is a minute here
					}
					<-doubt.Settled
				}
				p.warm(o, 1)
				if got := p.version(t, 1); got != rounds {
					t.Errorf("after the doubts %d is read, not %d", got, rounds)
				}
			})
		}
	}
}

// What is released although it is in doubt has the old value served: the test above can
// fail.
func TestInDoubt_ReleasedAtOnceTheOldValueIsServed(t *testing.T) {
	o := newOrigin(t)
	p := o.process()
	p.warm(o, 1)
	ctx, let := o.hold(false)
	defer let()
	err := p.space.Run(ctx, invalidation.Mutation{
		Targets: []invalidation.Target{p.users.Key(1)}, InDoubt: func(error) bool { return false },
	}, func(ctx context.Context) error { return o.native(ctx, 1, 1) })
	if !errors.Is(err, context.Canceled) || errors.Is(err, cache.ErrInDoubt) {
		t.Fatal(err)
	}
	p.warm(o, 1)
	let()
	o.until(1, 1)
	if got := p.version(t, 1); got != 0 {
		t.Errorf("%d is read: the other tests prove nothing", got)
	}
}

func TestInDoubt_WhileTheDatabaseSaysThatItIsUnderWayNoTimeDecides(t *testing.T) {
	o := newOrigin(t)
	p := o.process()
	p.warm(o, 1)
	ctx, let := o.hold(false)
	defer let()
	ask := o.standard(asking)
	err := p.space.Run(ctx, invalidation.Mutation{
		Targets: []invalidation.Target{p.users.Key(1)}, DecidedWithin: 300 * time.Millisecond,
	}, func(ctx context.Context) error { return ask(ctx, 1, 1) })
	var doubt *cache.InDoubtError
	if !errors.As(err, &doubt) || doubt.Decided == nil {
		t.Fatal(err)
	}
	timer := time.NewTimer(4 * 300 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-doubt.Settled:
		t.Fatal("it is released while the transaction is under way")
	case <-timer.C:
	}
	if n := p.space.Status().InDoubt; n != 1 {
		t.Errorf("%d are in doubt", n)
	}
	let()
	<-doubt.Settled
	if got := p.version(t, 1); got != 1 {
		t.Errorf("%d is read", got)
	}
}

func TestInDoubt_ACommitThatNeverArrivesIsReleasedWhenTheDatabaseSaysSo(t *testing.T) {
	o := newOrigin(t)
	p := o.process()
	p.warm(o, 1)
	ctx, let := o.hold(false)
	ask := o.standard(asking)
	err := p.space.Mutate(ctx, []invalidation.Target{p.users.Key(1)}, func(ctx context.Context) error { return ask(ctx, 1, 1) })
	var doubt *cache.InDoubtError
	if !errors.As(err, &doubt) {
		t.Fatal(err)
	}
	began := time.Now()
	// The server ends the transaction, as idle_in_transaction_session_timeout has it.
	o.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction' AND query LIKE '%pg_current_xact_id%'")
	<-doubt.Settled
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v, as if nobody had asked", took)
	}
	let()
	p.warm(o, 1)
	if got := p.version(t, 1); got != 0 {
		t.Errorf("%d is read", got)
	}
}

func TestInDoubt_WhatTheDatabaseRefusesIsNotInDoubt(t *testing.T) {
	o := newOrigin(t)
	p := o.process()
	declined := errors.New("card declined")
	in := func(query string, after error) func(context.Context) error {
		return func(ctx context.Context) error {
			return sqltx.Run(ctx, o.db, &sqltx.Options{Database: sqltx.PostgreSQL}, func(ctx context.Context, tx *sql.Tx) error {
				if _, err := tx.ExecContext(ctx, query); err != nil {
					return err
				}
				return after
			})
		}
	}
	update := "UPDATE " + o.table + " SET version = 1 WHERE id = 1"
	left := func(do func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return do(ctx)
		}
	}
	for name, do := range map[string]func(context.Context) error{
		"a rule of the program": in(update, declined),
		"a rule, without sqltx": func(context.Context) error { return declined },
		"a constraint":          in("INSERT INTO "+o.table+" VALUES (1, 1)", nil),
		"a constraint, pgx": func(ctx context.Context) error {
			_, err := o.pool.Exec(ctx, "INSERT INTO "+o.table+" VALUES (1, 1)")
			return err
		},
		"a constraint at COMMIT":         in("INSERT INTO "+o.table+" VALUES (1001, 1, 'mail2')", nil),
		"an error that was swallowed":    func(ctx context.Context) error { return o.swallow(ctx) },
		"a caller who had left":          left(in(update, nil)),
		"a transaction that reads alone": in("SELECT 1", declined),
	} {
		err := p.space.Mutate(t.Context(), []invalidation.Target{p.users.Key(1)}, do)
		if err == nil || errors.Is(err, cache.ErrInDoubt) {
			t.Errorf("%s: %v", name, err)
		}
		if n := p.space.Status().InDoubt; n != 0 {
			t.Errorf("%s: %d are in doubt", name, n)
		}
		p.warm(o, 1)
		if got := p.version(t, 1); got != 0 {
			t.Errorf("%s: the version is %d", name, got)
		}
	}
}

// swallow commits a transaction that has failed.
func (o *origin) swallow(ctx context.Context) error {
	return sqltx.Run(ctx, o.db, nil, func(ctx context.Context, tx *sql.Tx) error {
		tx.ExecContext(ctx, "INSERT INTO "+o.table+" VALUES (1, 1)")
		return nil
	})
}

func TestSQLTx_WhatItCommitsIsThere(t *testing.T) {
	o := newOrigin(t)
	for i, options := range []*sqltx.Options{nil, {}, {Database: sqltx.PostgreSQL}, {Database: sqltx.PostgreSQL, TxOptions: sql.TxOptions{Isolation: sql.LevelSerializable}}} {
		must(t, o.standard(options)(t.Context(), 1, i+1))
		o.until(1, i+1)
	}
	must(t, sqltx.Run(t.Context(), o.db, &sqltx.Options{Database: sqltx.PostgreSQL}, func(context.Context, *sql.Tx) error { return nil }))
	func() {
		defer func() {
			if v := recover(); fmt.Sprint(v) != "no" {
				t.Errorf("the panic is %v", v)
			}
		}()
		sqltx.Run(t.Context(), o.db, nil, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE "+o.table+" SET version = 100")
			must(t, err)
			panic("no")
		})
	}()
	if u, err := o.load(t.Context(), 1); err != nil || u.Version != 4 {
		t.Errorf("after a panic: %+v, %v", u, err)
	}
}
