package netfault

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// echo returns the address of a server that sends back what it gets.
func echo(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); io.Copy(c, c) }()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String()
}

func start(t *testing.T) *Proxy {
	p, err := Start(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func dial(t *testing.T, p *Proxy) net.Conn {
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// say sends a line and returns what comes back in time.
func say(c net.Conn, line string, within time.Duration) (string, error) {
	c.SetDeadline(time.Now().Add(within))
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}

func TestItForwards(t *testing.T) {
	p := start(t)
	for range 3 {
		if got, err := say(dial(t, p), "hello", time.Minute); got != "hello\n" || err != nil {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func TestABlackholeKeepsConnectionsOpenAndHealCutsThem(t *testing.T) {
	p := start(t)
	old, idle := dial(t, p), dial(t, p)
	say(old, "before", time.Minute)
	say(idle, "before", time.Minute)
	p.Blackhole()
	for _, c := range []net.Conn{old, dial(t, p)} {
		if got, err := say(c, "lost", 30*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%q, %v: not swallowed", got, err)
		}
	}
	if p.Swallowed() == 0 {
		t.Error("nothing is counted as swallowed")
	}
	p.Heal()
	if got, err := say(old, "after", time.Minute); err == nil {
		t.Errorf("%q comes through a connection that has lost bytes", got)
	}
	for _, c := range []net.Conn{idle, dial(t, p)} {
		if got, err := say(c, "after", time.Minute); got != "after\n" || err != nil {
			t.Errorf("after Heal: %q, %v", got, err)
		}
	}
}

func TestCutAndRefuse(t *testing.T) {
	p := start(t)
	c := dial(t, p)
	say(c, "before", time.Minute)
	p.Cut()
	if got, err := say(c, "after", time.Minute); err == nil {
		t.Errorf("%q comes through a connection that was cut", got)
	}
	p.Refuse(true)
	if got, err := say(dial(t, p), "refused", time.Minute); err == nil {
		t.Errorf("%q comes through a connection that was refused", got)
	}
	p.Refuse(false)
	if got, err := say(dial(t, p), "again", time.Minute); got != "again\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
