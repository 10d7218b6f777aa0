package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/larder-cache/larder/internal/redisproc"
)

// pairInfo describes the servers of the topology address.
const pairInfo = "a primary and its replica, which change places behind one address, started for the round"

// startPair starts a primary, to which the address leads, and its replica.
func (s *site) startPair(ctx context.Context, args []string) error {
	s.stop = func() error {
		var err error
		for _, srv := range s.servers {
			err = errors.Join(err, srv.Stop())
		}
		return err
	}
	for range 2 {
		srv, err := redisproc.Start(ctx, redisproc.Options{Args: append([]string{
			"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1",
		}, args...)})
		if err != nil {
			return errors.Join(err, s.stop())
		}
		s.servers = append(s.servers, srv)
	}
	s.access.Addrs, s.info = []string{s.servers[0].Addr()}, pairInfo
	if err := s.attach(ctx); err != nil {
		return errors.Join(err, s.stop())
	}
	return nil
}

// pair returns the server that the address leads to, and the other one.
func (s *site) pair() (primary, other *redisproc.Server) {
	return s.servers[s.leads], s.servers[1-s.leads]
}

// attach makes the other server a replica of the primary, if it is not, and waits until
// it has everything.
func (s *site) attach(ctx context.Context) error {
	primary, other := s.pair()
	p, o := direct(primary.Addr()), direct(other.Addr())
	defer p.Close()
	defer o.Close()
	host, port, err := net.SplitHostPort(primary.Addr())
	if err != nil {
		return err
	}
	return redisproc.Until(ctx, func() error {
		role, err := o.Do(ctx, "role").Slice()
		if err != nil {
			return err
		}
		if role[0] != "slave" || net.JoinHostPort(fmt.Sprint(role[1]), fmt.Sprint(role[2])) != primary.Addr() {
			if err := o.SlaveOf(ctx, host, port).Err(); err != nil {
				return err
			}
		}
		info, err := p.Info(ctx, "replication").Result()
		if err == nil && !strings.Contains(info, "state=online") {
			err = errors.New("the primary has no replica")
		}
		return err
	})
}

// exchange has the address lead to the other server, for one process after another.
// Connections that are open stay where they are.
func (s *site) exchange(r *rand.Rand) {
	s.leads = 1 - s.leads
	primary, _ := s.pair()
	for _, i := range r.Perm(len(s.proxies)) {
		time.Sleep(between(r, 0, 300*ms))
		for _, p := range s.proxies[i] {
			p.Lead(primary.Addr())
		}
	}
}

// failOver has the primary give its place to its replica, which loses nothing, and moves
// the address. Connections from before lead to a replica whose link is up.
func failOver(_ context.Context, f *field, s step) error {
	if err := f.changePlaces(); err != nil {
		return err
	}
	f.site.exchange(rand.New(rand.NewPCG(s.Seed, 0)))
	return f.well()
}

// demote does the same, but the link of the old primary is down until the fault ends.
func demote(ctx context.Context, f *field, s step) error {
	if err := f.changePlaces(); err != nil {
		return err
	}
	old, _ := f.site.pair()
	c := direct(old.Addr())
	defer c.Close()
	if err := c.SlaveOf(context.WithoutCancel(ctx), "127.0.0.1", "1").Err(); err != nil {
		return err
	}
	f.site.exchange(rand.New(rand.NewPCG(s.Seed, 0)))
	<-ctx.Done()
	return f.well()
}

// changePlaces makes the primary the replica of its replica. The address stays.
func (f *field) changePlaces() error {
	if err := f.well(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*sec)
	defer cancel()
	primary, other := f.site.pair()
	c := direct(primary.Addr())
	defer c.Close()
	if err := c.Do(ctx, "failover").Err(); err != nil {
		return err
	}
	return f.promoted(ctx, other)
}
