package redisproc

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// taken returns a port that somebody listens on.
func taken(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// first returns a choice of ports that begins with the given ones.
func first(ports ...int) func(bool) (int, error) {
	return func(cluster bool) (int, error) {
		if len(ports) == 0 {
			return freePort(cluster)
		}
		p := ports[0]
		ports = ports[1:]
		return p, nil
	}
}

func TestAPortThatWasTakenMeanwhileIsReplaced(t *testing.T) {
	port := taken(t)
	s := start(t, Options{ports: first(port, port)})
	if s.port == port {
		t.Error("two servers listen on a port")
	}
	if err := client(t, s.Addr()).Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestABusPortThatWasTakenMeanwhileIsReplaced(t *testing.T) {
	port, err := freePort(true)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+itoa(port+busOffset))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s := start(t, Options{cluster: true, ports: first(port)})
	if s.port == port {
		t.Error("two servers listen on a bus port")
	}
}

func TestAServerIsNotMistakenForOneThatHasItsPort(t *testing.T) {
	other := start(t, Options{})
	always := func(bool) (int, error) { return other.port, nil }
	t.Setenv("TMPDIR", t.TempDir())
	if _, err := Start(t.Context(), Options{ports: always}); !errors.Is(err, errPortTaken) {
		t.Fatalf("the error is %v", err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestTheErrorOfAStartHasTheWordsOfTheServer(t *testing.T) {
	_, err := Start(t.Context(), Options{Args: []string{"--no-such-option", "1"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("the error is %v", err)
	}
}

func TestAMissingProgramIsAnErrorThatSaysWhatToInstall(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Start(t.Context(), Options{})
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Errorf("the error is %v", err)
	}
	if _, err := StartCluster(t.Context(), ClusterOptions{}); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("of a cluster: %v", err)
	}
	if _, err := Start(t.Context(), Options{Bin: "no-such-program"}); err == nil {
		t.Error("a program that is not there has started")
	}
}

func TestAnEndedContextEndsTheStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := Start(ctx, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", s, err)
	}
}

func TestTheTailKeepsTheLastLinesAndSeesTheReadyOne(t *testing.T) {
	log := newTail()
	for i := range 100 {
		log.Write([]byte("line " + itoa(i) + "\r\nand "))
		log.Write([]byte("more\n"))
	}
	log.Write([]byte(strings.Repeat("x", 3*tailWidth) + "\n"))
	log.Write([]byte("* Ready to acc"))
	select {
	case <-log.ready:
		t.Error("ready too early")
	default:
	}
	log.Write([]byte("ept connections tcp\nhalf"))
	<-log.ready
	text := log.String()
	if n := strings.Count(text, "\n"); n != tailLines {
		t.Errorf("it keeps %d lines", n)
	}
	if strings.Contains(text, "line 0\n") || !strings.Contains(text, "line 99\nand more\n") || !strings.HasSuffix(text, "\nhalf") {
		t.Errorf("it keeps %q", text)
	}
	if len(text) > 2*tailWidth {
		t.Errorf("it keeps %d bytes", len(text))
	}
}
