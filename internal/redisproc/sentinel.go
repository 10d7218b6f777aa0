package redisproc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	masterName    = "larder"
	dataServers   = 3
	sentinelCount = 3
	// downAfter is how long a master may be silent before it is replaced. With
	// less, a machine that is busy is taken for one that is dead, and sentinels
	// promote several servers.
	downAfter = time.Second
)

// Sentinel is a master with two replicas and three sentinels that replace it if
// it fails.
type Sentinel struct {
	servers   []*Server
	authority *Authority
	dir       string
	ports     []int
	processes []*process
}

// SentinelOptions say how the servers run.
type SentinelOptions struct {
	// Args are arguments of the data servers.
	Args []string
	// Authority makes all servers and sentinels speak TLS.
	Authority *Authority
}

// StartSentinel starts the servers and sentinels, and returns when the sentinels
// know each other and both replicas are in step. The context bounds the start.
// The caller must call Stop.
func StartSentinel(ctx context.Context, o SentinelOptions) (*Sentinel, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	s := &Sentinel{authority: o.Authority}
	if err := s.start(ctx, o.Args); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Sentinel) start(ctx context.Context, args []string) (err error) {
	args = append([]string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}, args...)
	for i := range dataServers {
		with := args
		if i > 0 {
			with = append(append([]string(nil), args...), "--replicaof", "127.0.0.1 "+strconv.Itoa(s.servers[0].port))
		}
		server, err := Start(ctx, Options{Args: with, Authority: s.authority})
		if err != nil {
			return err
		}
		s.servers = append(s.servers, server)
	}
	if s.dir, err = os.MkdirTemp("", "larder-sentinel-"); err != nil {
		return err
	}
	secure, err := s.authority.settings(s.dir)
	if err != nil {
		return err
	}
	for range sentinelCount {
		if err := s.startOne(secure); err != nil {
			return err
		}
	}
	if err := Until(ctx, func() error { return s.agreed(ctx) }); err != nil {
		return fmt.Errorf("the sentinels do not agree: %w", err)
	}
	return nil
}

func (s *Sentinel) startOne(secure [][2]string) error {
	bin, err := find("")
	if err != nil {
		return err
	}
	port, err := freePort(false)
	if err != nil {
		return err
	}
	conf := filepath.Join(s.dir, strconv.Itoa(port)+".conf")
	text := ""
	for _, setting := range append(s.authority.ports(strconv.Itoa(port)), secure...) {
		text += setting[0] + " " + setting[1] + "\n"
	}
	text += fmt.Sprintf(`bind 127.0.0.1
dir %s
sentinel monitor %s 127.0.0.1 %d %d
sentinel down-after-milliseconds %[2]s %[5]d
sentinel failover-timeout %[2]s 3000
sentinel parallel-syncs %[2]s 1
`, s.dir, masterName, s.servers[0].port, sentinelCount/2+1, downAfter.Milliseconds())
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return err
	}
	p, err := spawn(bin, s.dir, []string{conf, "--sentinel"})
	if err != nil {
		return fmt.Errorf("a sentinel cannot be started: %w", err)
	}
	s.ports, s.processes = append(s.ports, port), append(s.processes, p)
	return nil
}

// agreed returns nil when each sentinel knows the others and both replicas, and
// these are in step.
func (s *Sentinel) agreed(ctx context.Context) error {
	for _, addr := range s.Addrs() {
		c := redis.NewSentinelClient(s.authority.clientOptions(addr))
		m, err := c.Master(ctx, masterName).Result()
		c.Close()
		if err != nil {
			return err
		}
		if m["flags"] != "master" || m["num-slaves"] != strconv.Itoa(dataServers-1) || m["num-other-sentinels"] != strconv.Itoa(sentinelCount-1) {
			return fmt.Errorf("the sentinel at %s knows %s replicas and %s sentinels of a %s", addr, m["num-slaves"], m["num-other-sentinels"], m["flags"])
		}
	}
	master, err := s.Master(ctx)
	if err != nil {
		return err
	}
	c := redis.NewClient(s.authority.clientOptions(master.Addr()))
	defer c.Close()
	n, err := c.Wait(ctx, dataServers-1, 100*time.Millisecond).Result()
	if err == nil && n < dataServers-1 {
		err = fmt.Errorf("%d replicas are in step", n)
	}
	return err
}

// MasterName is how the sentinels call the master.
func (s *Sentinel) MasterName() string { return masterName }

// Addrs returns the addresses of the sentinels.
func (s *Sentinel) Addrs() []string {
	addrs := make([]string, len(s.ports))
	for i, p := range s.ports {
		addrs[i] = net.JoinHostPort("127.0.0.1", strconv.Itoa(p))
	}
	return addrs
}

// Servers returns the data servers, the first master first.
func (s *Sentinel) Servers() []*Server { return append([]*Server(nil), s.servers...) }

// Master returns the server that is the master now, by what a sentinel says.
func (s *Sentinel) Master(ctx context.Context) (*Server, error) {
	var errs []error
	for _, addr := range s.Addrs() {
		c := redis.NewSentinelClient(s.authority.clientOptions(addr))
		at, err := c.GetMasterAddrByName(ctx, masterName).Result()
		c.Close()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, server := range s.servers {
			if server.Addr() == net.JoinHostPort(at[0], at[1]) {
				return server, nil
			}
		}
	}
	return nil, fmt.Errorf("no sentinel names a master: %w", errors.Join(errs...))
}

// KillMaster kills the master as a crash would, and returns when the sentinels
// have made another server the master.
func (s *Sentinel) KillMaster(ctx context.Context) error {
	old, err := s.Master(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	old.Kill()
	if err := Until(ctx, func() error { return s.replaced(ctx, old) }); err != nil {
		return fmt.Errorf("there is no new master: %w", err)
	}
	return nil
}

// replaced returns nil when another server than old is the master and can write.
func (s *Sentinel) replaced(ctx context.Context, old *Server) error {
	master, err := s.Master(ctx)
	if err != nil {
		return err
	}
	if master == old {
		return errors.New("it is the old one still")
	}
	c := redis.NewClient(s.authority.clientOptions(master.Addr()))
	defer c.Close()
	return c.Set(ctx, "larder-sentinel", "", time.Minute).Err()
}

// Pause makes all servers and sentinels stop answering, as Server.Pause does. Resume ends
// it.
func (s *Sentinel) Pause() error { return s.each(pause, (*Server).Pause) }

// Resume lets all go on.
func (s *Sentinel) Resume() error { return s.each(resume, (*Server).Resume) }

func (s *Sentinel) each(sentinel func(*os.Process) error, server func(*Server) error) error {
	var errs []error
	for _, p := range s.processes {
		errs = append(errs, sentinel(p.cmd.Process))
	}
	for _, one := range s.servers {
		errs = append(errs, server(one))
	}
	return errors.Join(errs...)
}

// Stop stops everything and removes the directories.
func (s *Sentinel) Stop() error {
	for _, p := range s.processes {
		resume(p.cmd.Process)
		p.kill()
	}
	s.processes = nil
	errs := []error{os.RemoveAll(s.dir)}
	for _, server := range s.servers {
		errs = append(errs, server.Stop())
	}
	return errors.Join(errs...)
}
