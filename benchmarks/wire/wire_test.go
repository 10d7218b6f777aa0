package wire

import (
	"io"
	"net"
	"testing"
	"time"
)

const requests = "*2\r\n$3\r\nGET\r\n$5\r\na\r\n*1\r\n*1\r\n$4\r\nPING\r\n*3\r\n$3\r\nset\r\n$1\r\nk\r\n$0\r\n\r\n*1\r\n$4\r\nINFO\r\n"

func TestCommandsAreCountedInWhateverPiecesTheyAreWritten(t *testing.T) {
	for size := 1; size <= len(requests); size++ {
		var r parser
		n := 0
		for rest := requests; rest != ""; {
			piece := rest[:min(size, len(rest))]
			rest = rest[len(piece):]
			n += r.feed([]byte(piece))
		}
		if n != 3 { // all but PING
			t.Errorf("in pieces of %d: %d commands", size, n)
		}
	}
}

func TestARoundTripBeginsWithTheFirstWriteAfterAnAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		io.Copy(c, c)
		c.Close()
	}()
	var counter Counter
	c, err := counter.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	get := []byte("*2\r\n$3\r\nGET\r\n$1\r\na\r\n")
	for range 3 { // two writes, and then the answer to both
		for range 2 {
			if _, err := c.Write(get); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.ReadFull(c, make([]byte, 2*len(get))); err != nil {
			t.Fatal(err)
		}
	}
	if counter.Commands() != 6 || counter.Trips() != 3 {
		t.Errorf("%d commands in %d round trips", counter.Commands(), counter.Trips())
	}
	counter.Delay(20 * time.Millisecond)
	before := time.Now()
	if _, err := c.Write(get); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(before); took < 20*time.Millisecond {
		t.Errorf("a delayed round trip took %v", took)
	}
}
