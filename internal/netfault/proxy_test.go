package netfault

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
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

func TestAProxyThatIsShutIsRefusedByTheSystem(t *testing.T) {
	p := start(t)
	c := dial(t, p)
	say(c, "before", time.Minute)
	p.Shut()
	if got, err := say(c, "after", time.Minute); err == nil {
		t.Errorf("%q comes through a connection that was cut", got)
	}
	if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a connection is not refused: %v", err)
	}
	if err := p.Open(); err != nil {
		t.Fatal(err)
	}
	if got, err := say(dial(t, p), "again", time.Minute); got != "again\n" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := p.Open(); err == nil {
		t.Error("it is open twice")
	}
}

// recorder returns the address of a server that answers each line with "ok" and
// sends it to the channel.
func recorder(t *testing.T) (string, <-chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for r := bufio.NewReader(c); ; {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					lines <- line
					io.WriteString(c, "ok\n")
				}
			}()
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return l.Addr().String(), lines
}

func TestFaultsOfSinglePieces(t *testing.T) {
	for what, c := range map[string]struct {
		fault   Fault
		arrives int  // how often the request reaches the target
		answer  bool // whether the client has one
		counts  Counts
	}{
		"none":                     {Fault{}, 1, true, Counts{}},
		"requests are lost":        {Fault{LoseRequests: true}, 0, false, Counts{}},
		"replies are lost":         {Fault{LoseReplies: true}, 1, false, Counts{}},
		"cut after the execution":  {Fault{CutReplies: 1}, 1, false, Counts{Cut: 1}},
		"executed after the cut":   {Fault{LateRequests: 1, Late: time.Millisecond}, 1, false, Counts{Late: 1}},
		"executed twice":           {Fault{RepeatRequests: 1, Late: time.Millisecond}, 2, true, Counts{Repeated: 1}},
		"held, and in small pipes": {Fault{Delay: 10 * time.Millisecond, Rate: 1000}, 1, true, Counts{}},
		"replies are held":         {Fault{DelayReplies: 10 * time.Millisecond}, 1, true, Counts{}},
	} {
		t.Run(what, func(t *testing.T) {
			target, lines := recorder(t)
			p, err := Start(target)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Close)
			conn := dial(t, p)
			p.Set(c.fault)
			within := time.Minute
			if c.fault.LoseReplies || c.fault.LoseRequests {
				within = 50 * time.Millisecond
			}
			began := time.Now()
			got, err := say(conn, "*request", within)
			if (got == "ok\n") != c.answer || (err == nil) != c.answer {
				t.Errorf("the client has %q, %v", got, err)
			}
			if least := c.fault.Delay + c.fault.DelayReplies; time.Since(began) < least { // half of Delay each way
				t.Errorf("it took %v, with %v each way and %v back", time.Since(began), c.fault.Delay, c.fault.DelayReplies)
			}
			for range c.arrives {
				if line := <-lines; line != "*request\n" {
					t.Errorf("the target has got %q", line)
				}
			}
			p.Heal()
			if got, err := say(dial(t, p), "*after", time.Minute); got != "ok\n" || err != nil {
				t.Errorf("after Heal: %q, %v", got, err)
			}
			if line := <-lines; line != "*after\n" {
				t.Errorf("the target has got %q", line)
			}
			if got := p.Counts(); got != c.counts {
				t.Errorf("it counts %+v, not %+v", got, c.counts)
			}
		})
	}
}

// An address that moves takes new connections along, and leaves the old ones.
func TestLead_OldConnectionsStayWhereTheyAre(t *testing.T) {
	p := start(t)
	old := dial(t, p)
	say(old, "before", time.Minute)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p.Lead(l.Addr().String())
	dial(t, p)
	if c, err := l.Accept(); err != nil {
		t.Fatal(err)
	} else {
		c.Close()
	}
	if got, err := say(old, "after", time.Minute); got != "after\n" || err != nil {
		t.Errorf("the old connection answers %q, %v", got, err)
	}
}
