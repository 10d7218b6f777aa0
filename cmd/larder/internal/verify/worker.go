package verify

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const storeTimeout = 100 * time.Millisecond

// orders are what a process of the crew is told, as a line of JSON.
type orders struct {
	Number   int // among all processes of the round
	Board    string
	Journal  string
	Access   access
	Via      map[string]string
	Space    string
	Lease    time.Duration
	Replicas int
	Seed     uint64
	Strict   bool          // use linearizable Loaders too
	Writer   bool          // write the rows of readMostly
	Skew     time.Duration // of the clock
	// Mistake is one that the process makes, to show that it is found.
	Mistake string
}

// Work is the life of a process of the crew. It reads its orders from in, and
// ends when the round does, or when in is closed.
func Work(ctx context.Context, in io.Reader) error {
	server.Silence()
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("no orders: %w", err)
	}
	go func() {
		io.Copy(io.Discard, r)
		os.Exit(1) // nobody is there any more who wants to know
	}()
	var o orders
	if err := json.Unmarshal(line, &o); err != nil {
		return fmt.Errorf("the orders: %w", err)
	}
	b, _, err := share[board](o.Board)
	if err != nil {
		return err
	}
	j, _, err := share[journal](o.Journal)
	if err != nil {
		return err
	}
	return o.work(ctx, b, j)
}

// goroutines is how many of each process use a mode. Those of one mode do not wait
// for what holds another up.
var goroutines = [modes]int{plain: 8, memory: 2, coherent: 4, strict: 6, lasting: 1, missing: 4, readMostly: 2}

func (o *orders) work(ctx context.Context, b *board, j *journal) error {
	ended := make(chan struct{})
	wait := o.wear(j, ended)
	defer wait()
	defer close(ended)
	rdb := o.client()
	defer rdb.Close()
	readers := o.client()
	defer readers.Close()
	open := func(rdb redis.UniversalClient, name string, coherent, deaf bool) (*redisstore.Space, error) {
		for {
			s, err := redisstore.Open(ctx, rdb, name, &redisstore.Options{
				// A machine that does all of this is slow: readers ask Redis nevertheless, or
				// there would be little to check.
				Timeout: storeTimeout, Slow: storeTimeout,
				Lease: o.Lease, WaitCoherent: coherent, NoBus: deaf, Replicas: redisstore.Replicas{N: o.Replicas},
			})
			// Open refuses a server that has lost its place while the process started: a
			// service is started again then.
			if err == nil || b.stop.Load() != 0 || ctx.Err() != nil || !errors.Is(err, cache.ErrUnavailable) {
				return s, err
			}
			rest()
		}
	}
	space, err := open(rdb, o.Space, false, false)
	if err != nil {
		return err
	}
	other, err := open(rdb, o.Space+"-coherent", true, false)
	if err != nil {
		return err
	}
	deaf, err := open(rdb, o.Space+"-lasting", false, true)
	if err != nil {
		return err
	}
	seldom, err := open(readers, o.Space+"-read-mostly", false, false)
	if err != nil {
		return err
	}
	w := newUser(o, b, j, space, [modes]*redisstore.Space{coherent: other, lasting: deaf, readMostly: seldom})
	j.ready.Store(1)
	var wg sync.WaitGroup
	for m, n := range goroutines {
		if mode(m) == strict && !o.Strict {
			continue
		}
		for g := range n {
			r := rand.New(rand.NewPCG(o.Seed, uint64((o.Number*int(modes)+m)*100+g)))
			wg.Go(func() {
				for b.stop.Load() == 0 && ctx.Err() == nil && w.one(ctx, &w.ways[m], r) {
				}
			})
		}
	}
	wg.Wait()
	w.report(os.Stderr)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	for _, s := range []*redisstore.Space{space, other, deaf, seldom} {
		s.Close(ctx) // what it could not repeat is of no interest now
	}
	return nil
}

// client returns a client as a user makes it, but for the way to the servers.
func (o *orders) client() redis.UniversalClient {
	a := o.Access
	off := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch a.Topology {
	case cluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: a.Addrs, Username: a.Username, Password: a.Password, Dialer: o.dial, MaintNotificationsConfig: off,
		})
	case sentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{MasterName: a.Master, SentinelAddrs: a.Addrs, Dialer: o.dial})
	}
	return redis.NewClient(&redis.Options{
		Addr: a.Addrs[0], Username: a.Username, Password: a.Password, DB: a.DB, Dialer: o.dial, MaintNotificationsConfig: off,
	})
}

// dial goes through the proxy of the address, if it has one.
func (o *orders) dial(ctx context.Context, kind, addr string) (net.Conn, error) {
	to, ok := o.Via[addr]
	if !ok {
		to = addr
	}
	conn, err := (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, kind, to)
	if err != nil || !o.Access.TLS {
		return conn, err
	}
	name := o.Access.ServerName
	if name == "" {
		name, _, _ = net.SplitHostPort(addr)
	}
	secure := tls.Client(conn, &tls.Config{ServerName: name, InsecureSkipVerify: o.Access.Insecure, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}
