package redisproc

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestAServerAnswersUntilItIsStopped(t *testing.T) {
	s := start(t, Options{})
	c := client(t, s.Addr())
	info, err := c.Info(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	if pid := strings.Fields(info[strings.Index(info, "process_id:"):])[0]; pid != "process_id:"+itoa(s.Pid()) {
		t.Errorf("%s answers, not %d", pid, s.Pid())
	}
	if dir := c.ConfigGet(t.Context(), "dir").Val()["dir"]; dir != s.Dir() {
		t.Errorf("it works in %q, not %q", dir, s.Dir())
	}
	for _, what := range []string{"save", "appendonly"} {
		if v := c.ConfigGet(t.Context(), what).Val()[what]; v != "" && v != "no" {
			t.Errorf("%s is %q", what, v)
		}
	}
	if !strings.Contains(s.Log(), readyLine) {
		t.Errorf("the log is %q", s.Log())
	}
	for range 2 {
		if err := s.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	gone(t, s)
	if _, err := os.Stat(s.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory: %v", err)
	}
	if err := s.Restart(t.Context()); err == nil {
		t.Error("a stopped server has restarted")
	}
}

// gone fails the test if the process of s is still there.
func gone(t *testing.T, s *Server) {
	t.Helper()
	if p, err := os.FindProcess(s.Pid()); err == nil {
		if err := p.Signal(syscall.Signal(0)); !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("process %d is still there: %v", s.Pid(), err)
		}
	}
	refused(t, s.Addr())
}

func TestARestartKeepsTheAddressAndWhatWasPersisted(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want int64
	}{
		"nothing":  {nil, 0},
		"the file": {[]string{"--appendonly", "yes", "--appendfsync", "always"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, Options{Args: test.args})
			c := client(t, s.Addr())
			for _, crash := range []bool{false, true} {
				if err := c.Set(t.Context(), "k", "v", 0).Err(); err != nil {
					t.Fatal(err)
				}
				addr, dir, pid := s.Addr(), s.Dir(), s.Pid()
				if crash {
					s.Kill()
					s.Kill()
					gone(t, s)
				}
				if err := s.Restart(t.Context()); err != nil {
					t.Fatal(err)
				}
				if s.Addr() != addr || s.Dir() != dir || s.Pid() == pid {
					t.Errorf("%s, %s and %d became %s, %s and %d", addr, dir, pid, s.Addr(), s.Dir(), s.Pid())
				}
				again := client(t, s.Addr())
				if n, err := again.Exists(t.Context(), "k").Result(); n != test.want || err != nil {
					t.Errorf("crash %v: %d keys are left, not %d: %v", crash, n, test.want, err)
				}
				c = again
			}
		})
	}
}

func TestAPausedServerDoesNotAnswerUntilResumed(t *testing.T) {
	s := start(t, Options{})
	c := client(t, s.Addr())
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Ping(ctx).Err(); err == nil {
		t.Error("a paused server answers")
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := client(t, s.Addr()).Ping(t.Context()).Err(); err != nil {
		t.Errorf("a resumed server: %v", err)
	}
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	gone(t, s)
}

func TestAServerOutlivesTheThreadThatAskedForIt(t *testing.T) {
	done := make(chan *Server)
	go func() {
		runtime.LockOSThread() // and never unlocked, so the thread ends with the goroutine
		s, err := Start(context.Background(), Options{})
		if err != nil {
			t.Error(err)
		}
		done <- s
	}()
	s := <-done
	if s == nil {
		return
	}
	defer s.Stop()
	c := client(t, s.Addr())
	for range 20 {
		runtime.GC()
		if err := c.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}
