package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"
)

// batch is what goes to a server together: the keys of all who asked, each once.
type batch struct {
	asks []*ask
	cmds [][]string // the keys of each MGET
	at   map[string]place
	lane map[int]int // which of cmds has the keys of a lane
}

// place is where the answer about a key is.
type place struct{ cmd, i int }

func (b *batch) add(a *ask) {
	for i := range a.reads {
		read := &a.reads[i]
		for _, k := range read.keys {
			p, ok := b.at[k]
			if !ok {
				p = b.put(k, read.lane)
				b.at[k] = p
			}
			a.at = append(a.at, p)
		}
	}
}

// put gives a key its place.
func (b *batch) put(k string, lane int) place {
	cmd, ok := b.lane[lane]
	if !ok {
		cmd = len(b.cmds)
		b.cmds = append(b.cmds, nil)
		if lane != noLane {
			b.lane[lane] = cmd
		}
	}
	b.cmds[cmd] = append(b.cmds[cmd], k)
	return place{cmd, len(b.cmds[cmd]) - 1}
}

// send asks, and answers all. It returns the first error.
func (b *batch) send(s *Space) error {
	if b.at == nil {
		b.at, b.lane = map[string]place{}, map[int]int{}
	}
	clear(b.at)
	clear(b.lane)
	b.cmds = empty(b.cmds)
	for _, a := range b.asks {
		b.add(a)
	}
	r := newReply(len(b.asks))
	got, errs := s.mgets(context.Background(), b.cmds, r)
	for i, a := range b.asks {
		b.asks[i] = nil
		a.reply = r
		for _, p := range a.at {
			text := ""
			if err := errs[p.cmd]; err != nil {
				a.err = err
			} else {
				text = got[p.cmd][p.i]
			}
			a.got = append(a.got, text)
		}
		a.done <- struct{}{} // from here on it is the caller's
	}
	return cmp.Or(errs...)
}

// mgets reads the keys of each command, all in one trip; if that is one command, into
// r. Each command has its own error.
func (s *Space) mgets(ctx context.Context, cmds [][]string, r *reply) (got [][]string, errs []error) {
	got, errs = make([][]string, len(cmds)), make([]error, len(cmds))
	if s.lanes == 1 && len(cmds) == 1 {
		got[0], errs[0] = s.mgetRaw(ctx, &question{}, cmds[0], r)
		return got, errs
	}
	calls := make([]*call, len(cmds))
	for i, keys := range cmds {
		calls[i] = mget(ctx, keys)
	}
	err := s.run(ctx, calls...)
	for i, c := range calls {
		got[i] = c.strings()
		if err1 := c.cmd.Err(); err1 != nil {
			errs[i] = fmt.Errorf("%w: %w", errUnavailable, err1)
		} else if len(got[i]) != len(cmds[i]) { // was not sent
			errs[i] = err
		}
	}
	return got, errs
}

// mgetRaw reads keys in one command. The results are parts of r. The keys and q belong
// to the command from then on, which a hook may keep.
func (s *Space) mgetRaw(ctx context.Context, q *question, keys []string, r *reply) ([]string, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	began := time.Now()
	q.budget = budget{ctx, began.Add(s.pace.bound())}
	args := append(q.args[:0], "mget") // also for one key: to GET, a key of another type is an error
	for i := range keys {
		args = append(args, &keys[i])
	}
	switches := s.switches.Load()
	err := s.unswitched(switches, persist(&q.budget, func() error { return s.mgetProven(&q.budget, q, args, r) }), nil)
	took := time.Since(began)
	s.servers.single.breaker.took(ctx, took, len(keys), len(r.buf), err)
	got := slices.Grow(q.got[:0], len(keys))[:len(keys)]
	if err == nil {
		err = bulk(textOf(r.buf), got)
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", errUnavailable, err)
	}
	s.trip(len(keys), took, err)
	if err != nil {
		return nil, err
	}
	return got, nil
}

// few is how many keys, with those of their tags, most reads have.
const few = 5

// question is what one command needs, in one piece if the keys are few.
type question struct {
	budget budget
	keys   [few]string
	args   [few + 1]any
	proof  [2]any
	got    [few]string
}
