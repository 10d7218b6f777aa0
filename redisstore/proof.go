package redisstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// Behind an address that moves to a new primary, the connections that are open already
// lead to the old one, which may answer for as long as it likes, and with what it had
// before. Nothing in the reply to a read shows that. So each trip to a single server
// ends with a command that only a primary carries out, on the same connection: a server
// that carries it out was a primary when it carried out those before it. If there is none
// among those that have to be sent, it is one that removes a key that is never there,
// which a server does without telling anybody.
//
// In a cluster a server that is no primary answers MOVED to a read, too.

// proofKey is the key that is never there.
func (s *Space) proofKey() string { return s.ns + ":p" }

func (s *Space) proof(ctx context.Context) *call {
	c := command(ctx, "del", s.proofName)
	c.proof, c.proves = true, true
	return c
}

// refutes reports whether an error of a proof says that the replies before it cannot be
// relied on. A primary that cannot save its data answers MISCONF, and only a primary does.
func refutes(err error) bool { return err != nil && !says(err, "MISCONF") }

// ask is run for what has to be true of the primary: its answers come from one that was
// the primary when it gave them, and from the one that the space uses since before it was
// sent. Otherwise all calls have the error.
func (s *Space) ask(ctx context.Context, rdb redis.UniversalClient, timeout time.Duration, calls []*call) error {
	if len(calls) == 0 {
		return ctx.Err()
	}
	switches := s.switches.Load()
	sent := calls
	if s.lanes == 1 && wantsProof(calls) {
		sent = append(slices.Clip(calls), s.proof(ctx))
	}
	err := run(ctx, rdb, timeout, sent)
	if last := sent[len(sent)-1]; last.proof && refutes(last.cmd.Err()) {
		refuse(calls, last.cmd.Err())
	}
	return s.unswitched(switches, err, calls)
}

// wantsProof reports whether the reply to one of the calls is to be relied on that no
// command after it, or it itself, has proven.
func wantsProof(calls []*call) (wants bool) {
	for _, c := range calls {
		if !c.free {
			wants = !c.proves
		}
	}
	return wants
}

// refuse gives all calls an error.
func refuse(calls []*call, err error) {
	for _, c := range calls {
		c.cmd.SetErr(err)
	}
}

// unswitched returns the error of a trip that began when there had been so many switches.
func (s *Space) unswitched(switches int64, err error, calls []*call) error {
	if err != nil {
		s.demoted(switches, err)
		return err
	}
	if s.switches.Load() == switches {
		return nil
	}
	refuse(calls, errSwitch)
	return errSwitch
}

// demoted closes the connections to a server that says it is no primary, once: those that
// are made from then on are asked who they lead to.
func (s *Space) demoted(switches int64, err error) {
	if s.lanes == 1 && says(err, "READONLY") && s.switches.CompareAndSwap(switches, switches+1) {
		s.cutOff("")
	}
}

// mgetProven is an MGET into r, with a proof.
func (s *Space) mgetProven(ctx context.Context, q *question, args []any, r *reply) error {
	r.buf = r.buf[:0] // it may be sent again
	read := redis.NewRawWriteToCmd(ctx, r, args...)
	if s.lanes > 1 {
		return s.rdb.Process(ctx, read)
	}
	q.proof[0], q.proof[1] = "del", s.proofName
	proof := redis.NewIntCmd(ctx, q.proof[:]...)
	p := s.rdb.Pipeline()
	p.Process(ctx, read)
	p.Process(ctx, proof)
	p.Exec(ctx) // each has its own error
	if err := read.Err(); err != nil {
		return err
	}
	if err := proof.Err(); refutes(err) {
		return fmt.Errorf("the server is no primary: %w", err)
	}
	return nil
}
