package redisproc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// patience bounds a start. A loaded machine may take seconds for what
	// takes 20 ms on an idle one.
	patience = 30 * time.Second
	// grace is how long a server may take to stop before it is killed.
	grace = 5 * time.Second
	// attempts bounds how many ports are tried.
	attempts = 10
)

// Options say how a server runs. The zero value is good for most.
type Options struct {
	// Args are arguments of the server, such as "--maxmemory", "3mb". They
	// may turn persistence on; port, address, directory and log are not
	// theirs to choose.
	Args []string
	// Bin is the program. By default it is redis-server, or else
	// valkey-server, of the PATH.
	Bin string
	// Authority makes the server speak TLS, also to other servers.
	Authority *Authority

	cluster bool
	ports   func(cluster bool) (int, error) // freePort, except in tests
}

// Server is a running server. Its methods may be called by several goroutines.
type Server struct {
	bin       string
	args      []string
	port      int
	dir       string
	authority *Authority

	mu      sync.Mutex
	proc    *process
	stopped bool
}

// Start starts a server and returns when it accepts connections, some 20 ms
// later. The context bounds the start, not the life of the server. The caller
// must call Stop.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin, err := find(o.Bin)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "larder-redis-")
	if err != nil {
		return nil, fmt.Errorf("a directory for %s: %w", bin, err)
	}
	s := &Server{bin: bin, dir: dir, args: []string{"--save", "", "--appendonly", "no"}, authority: o.Authority}
	secure, err := o.Authority.settings(dir)
	if err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("the certificates of %s: %w", bin, err)
	}
	s.args = append(s.args, arguments(secure)...)
	if o.cluster {
		// By default a replica is of use 5 s after it has asked for the data,
		// and is shown to clients up to 10 s after that.
		s.args = append(s.args, "--cluster-enabled", "yes", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")
		if o.Authority != nil {
			s.args = append(s.args, "--tls-cluster", "yes")
		}
	}
	s.args = append(s.args, o.Args...)
	ports := o.ports
	if ports == nil {
		ports = freePort
	}
	for range attempts {
		if s.port, err = ports(o.cluster); err != nil {
			break
		}
		if err = s.launch(ctx); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	return s, nil
}

// launch starts the process and waits until it says that it is ready. Asking
// over the network could not tell our server from one that was quicker to take
// the port.
func (s *Server) launch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s is not started: %w", s.bin, err)
	}
	args := append([]string(nil), s.args...)
	args = append(args, arguments(s.authority.ports(strconv.Itoa(s.port)))...)
	args = append(args, "--bind", "127.0.0.1", "--dir", s.dir, "--daemonize", "no", "--logfile", "", "--loglevel", "notice")
	p, err := spawn(s.bin, s.dir, args)
	if err != nil {
		return fmt.Errorf("%s cannot be started: %w", s.bin, err)
	}
	select {
	case <-p.log.ready:
		s.proc = p
		return nil
	case <-p.exited:
		err = errors.New(p.cmd.ProcessState.String())
		if strings.Contains(p.log.String(), "already in use") {
			err = fmt.Errorf("%w: %d", errPortTaken, s.port)
		}
	case <-ctx.Done():
		p.kill()
		err = ctx.Err()
	}
	return fmt.Errorf("%s does not start: %w; its last words:\n%s", s.bin, err, p.log)
}

// Addr returns the address, as host:port. It stays the same over restarts.
func (s *Server) Addr() string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port))
}

// ClientTLS returns what a client of the server needs, which is nil if it speaks no
// TLS.
func (s *Server) ClientTLS() *tls.Config { return s.authority.ClientTLS() }

// Dir returns the directory that the server works in. Stop removes it.
func (s *Server) Dir() string { return s.dir }

// Pid returns the id of the process that was started last.
func (s *Server) Pid() int { return s.process().cmd.Process.Pid }

// Log returns the last lines that the process wrote.
func (s *Server) Log() string { return s.process().log.String() }

func (s *Server) process() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

// Kill kills the server as a crash would, and returns when it is gone. Restart
// brings it back.
func (s *Server) Kill() { s.process().kill() }

// Pause makes the server stop answering while its connections and its port stay
// open. Resume ends it. Where processes cannot be paused, such as on Windows,
// the error is errors.ErrUnsupported.
func (s *Server) Pause() error { return pause(s.process().cmd.Process) }

// Resume lets a paused server go on.
func (s *Server) Resume() error { return resume(s.process().cmd.Process) }

// Restart stops the server, if it runs, and starts it again on the same port
// and directory. What it holds afterwards is what it has persisted: nothing,
// unless Options.Args said otherwise.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return fmt.Errorf("the server at %s was stopped and has no directory any more", s.Addr())
	}
	s.proc.stop(grace)
	return s.launch(ctx)
}

// Stop stops the server, paused or not, and removes its directory. It returns
// when the process is gone. Further calls do nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	s.proc.stop(grace)
	return os.RemoveAll(s.dir)
}
