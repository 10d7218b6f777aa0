package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/redis/go-redis/v9"
)

// field is where faults happen.
type field struct {
	site   *site
	space  string // what the keys of the round begin with
	crew   *crew
	mu     sync.Mutex
	done   map[string]int
	failed []string
	// windows are the times, on the shared clock, in which a server was back with
	// old data and processes may not have noticed.
	windows []window
	// disturbed are the times of all faults.
	disturbed []window
}

type window struct{ from, to int64 }

// noticing is how long processes may take to notice that a server is back with
// old data, and to repair it, while nothing else goes wrong.
const noticing = 2 * time.Second

func (f *field) breached(from, to int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.windows = append(f.windows, window{from, to + noticing.Nanoseconds()})
}

// breaches returns the windows. Who cannot reach the server, or is stopped, has the same
// time after that.
func (f *field) breaches() []window {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.Clone(f.windows)
	for i, w := range f.windows {
		for _, d := range f.disturbed {
			if d.from <= w.to && d.to >= w.from {
				out[i].to = max(out[i].to, d.to+noticing.Nanoseconds())
			}
		}
	}
	return out
}

// run makes the steps of all lanes come true until ctx ends.
func (f *field) run(ctx context.Context, steps [lanes][]step) {
	var wg sync.WaitGroup
	began := time.Now()
	for _, of := range steps {
		wg.Go(func() {
			for _, s := range of {
				timer := time.NewTimer(time.Until(began.Add(s.At)))
				select {
				case <-timer.C:
				case <-ctx.Done():
					timer.Stop()
					return
				}
				f.one(ctx, s)
			}
		})
	}
	wg.Wait()
}

func (f *field) one(ctx context.Context, s step) {
	ctx, cancel := context.WithTimeout(ctx, s.For)
	defer cancel()
	from := clock()
	err := s.fault.do(ctx, f, s)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.disturbed = append(f.disturbed, window{from, clock()})
	if err != nil {
		f.failed = append(f.failed, fmt.Sprintf("%s: %v", s.Fault, err))
		return
	}
	f.done[s.Fault]++
}

// ways calls do for the proxies of the victim.
func (f *field) ways(s step, do func(*netfault.Proxy)) {
	for i, ways := range f.site.proxies {
		for _, p := range ways {
			if s.Victim < 0 || i == s.Victim {
				do(p)
			}
		}
	}
}

func (f *field) server(s step) *redisproc.Server {
	return f.site.servers[s.Seed%uint64(len(f.site.servers))]
}

func (f *field) process(s step) *os.Process { return f.crew.process(s.Victim) }

func (f *field) crash(ctx context.Context, i int) error {
	f.crew.kill(i)
	<-ctx.Done()
	return f.crew.start(i)
}

// command sends a command to all masters.
func (f *field) command(ctx context.Context, args ...any) error {
	ctx = context.WithoutCancel(ctx)
	return f.site.masters(ctx, func(ctx context.Context, c *redis.Client) error { return c.Do(ctx, args...).Err() })
}

// keys returns keys of the round that a master has.
func (f *field) keys(ctx context.Context, c *redis.Client) ([]string, error) {
	keys, _, err := c.Scan(ctx, 0, f.space+"*", 1000).Result()
	return keys, err
}

// deleteSome deletes some keys of the round: values, tokens, tags, quarantines
// and logs alike.
func (f *field) deleteSome(r *rand.Rand) error {
	ctx, cancel := context.WithTimeout(context.Background(), sec)
	defer cancel()
	var mu sync.Mutex
	return f.site.masters(ctx, func(ctx context.Context, c *redis.Client) error {
		keys, err := f.keys(ctx, c)
		if err != nil {
			return err
		}
		p := c.Pipeline()
		mu.Lock()
		for _, k := range keys {
			if r.IntN(6) == 0 {
				p.Del(ctx, k)
			}
		}
		mu.Unlock()
		if p.Len() > 0 {
			_, err = p.Exec(ctx)
		}
		return err
	})
}

// anyKey returns a key of the round, "" if there is none.
func (f *field) anyKey(r *rand.Rand) (key string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), sec)
	defer cancel()
	var all []string
	err = f.site.masters(ctx, func(ctx context.Context, c *redis.Client) error {
		keys, err := f.keys(ctx, c)
		all = append(all, keys...)
		return err
	})
	if len(all) == 0 {
		return "", err
	}
	return all[r.IntN(len(all))], nil
}

// pair returns a master of the cluster and its replica.
func (f *field) pair(ctx context.Context, s step) (master, replica *redisproc.Server, err error) {
	n := len(f.site.servers)
	for i := range n {
		srv := f.site.servers[(int(s.Seed%uint64(n))+i)%n]
		c := direct(srv.Addr())
		role, err := c.Do(ctx, "role").Slice()
		c.Close()
		if err != nil || role[0] != "slave" {
			continue
		}
		host, port := fmt.Sprint(role[1]), fmt.Sprint(role[2])
		for _, m := range f.site.servers {
			if m.Addr() == host+":"+port {
				return m, srv, nil
			}
		}
	}
	return nil, nil, errors.New("no replica is there to promote")
}

// promoted waits until a server is a master.
func (f *field) promoted(ctx context.Context, srv *redisproc.Server) error {
	return redisproc.Until(ctx, func() error {
		c := direct(srv.Addr())
		defer c.Close()
		role, err := c.Do(ctx, "role").Slice()
		if err == nil && role[0] != "master" {
			err = fmt.Errorf("%s is still a replica", srv.Addr())
		}
		return err
	})
}

// recovery is how long servers may take to be well again after a fault.
const recovery = 30 * time.Second

// well waits until the servers of the round are as they were at its start.
func (f *field) well() error {
	ctx, cancel := context.WithTimeout(context.Background(), recovery)
	defer cancel()
	switch {
	case !f.site.own:
		return nil
	case f.site.cluster != nil:
		return f.site.cluster.Wait(ctx)
	case f.site.sentinel != nil:
		return f.ready(ctx)
	case f.site.topology == address:
		return f.site.attach(ctx)
	}
	return nil
}

// roles says what each server takes itself for.
func (f *field) roles() string {
	ctx, cancel := context.WithTimeout(context.Background(), sec)
	defer cancel()
	var out []string
	for _, srv := range f.site.servers {
		c := direct(srv.Addr())
		role, err := c.Do(ctx, "role").Slice()
		c.Close()
		if err != nil {
			out = append(out, fmt.Sprintf("%s: %v", srv.Addr(), err))
			continue
		}
		out = append(out, fmt.Sprintf("%s: %v", srv.Addr(), role))
	}
	return strings.Join(out, "; ")
}

// ready waits until the master of the sentinels has both replicas again.
func (f *field) ready(ctx context.Context) error {
	return redisproc.Until(ctx, func() error {
		m, err := f.site.sentinel.Master(ctx)
		if err != nil {
			return err
		}
		c := direct(m.Addr())
		defer c.Close()
		info, err := c.Info(ctx, "replication").Result()
		if err == nil && strings.Count(info, "state=online") < 2 {
			err = errors.New("the master has not both replicas")
		}
		return err
	})
}

// number returns a number of the answer to INFO, 0 if it is not there.
func number(info, name string) int64 {
	n, _ := strconv.ParseInt(server.Fact(info, name), 10, 64)
	return n
}
