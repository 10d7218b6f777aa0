package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// patience bounds a start. A loaded machine may take many times as long as one
	// that is idle.
	patience = time.Minute
	// attempts bounds how many ports are tried.
	attempts = 10
)

// Server is a running PostgreSQL with a directory of its own. It ends with this
// process at the latest.
type Server struct {
	dir, addr string
	stop      func()
}

// settings make a server that starts fast and keeps nothing.
var settings = []string{"fsync=off", "full_page_writes=off", "shared_buffers=16MB", "max_connections=60",
	"unix_socket_directories=", "listen_addresses=127.0.0.1", "max_wal_senders=0", "wal_level=minimal", "autovacuum=off"}

// Start makes a cluster of databases and starts a server for it, in two seconds or so.
// The caller must call Stop. Run by root, the server is another user's, since it refuses
// to be root's.
func Start(ctx context.Context) (*Server, error) {
	bin, err := find()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	dir, err := os.MkdirTemp("", "larder-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, stop: func() {}}
	if err := s.start(ctx, bin); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, bin string) error {
	user, err := servant()
	if err != nil {
		return err
	}
	if user != nil {
		if err := os.Chown(s.dir, int(user.Uid), int(user.Gid)); err != nil {
			return err
		}
	}
	data := filepath.Join(s.dir, "data")
	run := func(name string, args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, name), args...)
		cmd.Dir = s.dir
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "HOME=" + s.dir, "TZ=UTC"}
		cmd.SysProcAttr = attributes()
		cmd.SysProcAttr.Credential = user
		return cmd
	}
	made := run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	if out, err := combined(ctx, made); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	for range attempts {
		port, err := freePort()
		if err != nil {
			return err
		}
		args := []string{"-D", data, "-p", strconv.Itoa(port)}
		for _, v := range settings {
			args = append(args, "-c", v)
		}
		s.addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if s.stop, err = launch(ctx, run("postgres", args...)); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return errPortTaken
}

// Addr returns the address of the server.
func (s *Server) Addr() string { return s.addr }

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	s.stop()
	os.RemoveAll(s.dir)
}

// URL returns the address of the database for a driver that connects to addr: that of
// the server or of a proxy.
func URL(addr string) string { return "postgres://postgres@" + addr + "/postgres?sslmode=disable" }

// find returns the directory of initdb and postgres.
func find() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if _, err := exec.LookPath("postgres"); err == nil {
			return filepath.Dir(path), nil
		}
	}
	var found []string
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/initdb", "/opt/homebrew/opt/postgresql@*/bin/initdb", "/usr/local/opt/postgresql@*/bin/initdb"} {
		paths, _ := filepath.Glob(pattern)
		found = append(found, paths...)
	}
	if len(found) == 0 {
		return "", errors.New("there is no PostgreSQL: run scripts/ensure-postgres.sh")
	}
	return filepath.Dir(slices.Max(found)), nil
}

var errPortTaken = errors.New("the port is taken")

// output is what a server writes.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := strings.Contains(o.text.String(), "ready to accept connections")
	o.text.Write(p)
	if !before && strings.Contains(o.text.String(), "ready to accept connections") {
		close(o.ready)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// launch starts a server and waits until it says that it is ready. The kernel ends it
// with the thread that has started it, so that thread waits for it.
func launch(ctx context.Context, cmd *exec.Cmd) (stop func(), err error) {
	out := &output{ready: make(chan struct{})}
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = out, out, time.Second
	started, exited := make(chan error, 1), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			cmd.Wait()
		}
		close(exited)
	}()
	if err := <-started; err != nil {
		return func() {}, err
	}
	stop = func() {
		cmd.Process.Signal(syscall.SIGQUIT) // at once: there is nothing to keep
		<-exited
	}
	select {
	case <-out.ready:
		return stop, nil
	case <-exited:
		if strings.Contains(out.String(), "Address already in use") {
			return func() {}, errPortTaken
		}
		return func() {}, fmt.Errorf("postgres has ended: %s", out)
	case <-ctx.Done():
		stop()
		return func() {}, fmt.Errorf("postgres does not get ready: %w\n%s", ctx.Err(), out)
	}
}

// combined runs a command on a thread that lives until it has ended.
func combined(ctx context.Context, cmd *exec.Cmd) (string, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &out, time.Second
	if err := cmd.Start(); err != nil {
		return "", err
	}
	defer context.AfterFunc(ctx, func() { cmd.Process.Kill() })()
	err := cmd.Wait()
	return out.String(), err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
