package netfault

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

func TestLatency_OfARoundTripAndOfOpening(t *testing.T) {
	p := start(t)
	const latency = 20 * time.Millisecond
	p.Set(Fault{Latency: latency})
	c := dial(t, p)
	for _, least := range []time.Duration{4 * latency, 2 * latency, 2 * latency} {
		began := time.Now()
		if got, err := say(c, "hello", 10*time.Second); err != nil || got != "hello\n" {
			t.Fatalf("%q, %v", got, err)
		}
		if took := time.Since(began); took < least {
			t.Errorf("it took %v, not %v", took, least)
		}
	}
	// What is under way at once takes no longer than one piece, and stays in order.
	began := time.Now()
	c.SetDeadline(began.Add(10 * time.Second))
	const n = 50
	go func() {
		for i := range n {
			c.Write([]byte{byte(i)})
		}
	}()
	got := make([]byte, n)
	if _, err := io.ReadFull(c, got); err != nil {
		t.Fatal(err)
	}
	for i, b := range got {
		if int(b) != i {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
	if took := time.Since(began); took > n*latency {
		t.Errorf("%d pieces took %v", n, took)
	}
	p.Heal()
	if got, err := say(c, "on", 10*time.Second); err != nil || got != "on\n" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
	if p.Accepted() != 1 {
		t.Errorf("%d connections", p.Accepted())
	}
}

func TestLatency_WhatIsUnderWayArrivesBeforeTheEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		if c, err := l.Accept(); err == nil {
			io.WriteString(c, "last words")
			c.Close()
		}
	}()
	p, err := Start(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	p.Set(Fault{Latency: 10 * time.Millisecond})
	c := dial(t, p)
	c.SetDeadline(time.Now().Add(10 * time.Second))
	if got, err := io.ReadAll(c); err != nil || string(got) != "last words" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestForget_ConnectionsLookOpenAndLeadNowhere(t *testing.T) {
	p := start(t)
	silent, fresh := dial(t, p), dial(t, p)
	for _, c := range []io.ReadWriter{silent, fresh} {
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
	}
	p.Forget(false)
	if got, err := say(silent, "hello", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a forgotten connection answers %q, %v", got, err)
	}
	reset := dial(t, p)
	if got, err := say(reset, "hello", 10*time.Second); err != nil || got != "hello\n" {
		t.Fatalf("a new one: %q, %v", got, err)
	}
	p.Forget(true)
	if got, err := say(reset, "hello", 10*time.Second); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
		t.Errorf("one that is reset answers %q, %v", got, err)
	}
	if n := p.Counts().Forgotten; n < 2 {
		t.Errorf("%d pieces came on forgotten connections", n)
	}
}

func TestForget_OnlyWhatHasIdled(t *testing.T) {
	p := start(t)
	c := dial(t, p)
	p.Set(Fault{ForgetAfter: time.Hour})
	if got, err := say(c, "hello", 10*time.Second); err != nil || got != "hello\n" {
		t.Errorf("in time: %q, %v", got, err)
	}
	p.Set(Fault{ForgetAfter: 1, ForgetByReset: true})
	if got, err := say(c, "hello", 10*time.Second); err == nil {
		t.Errorf("too late: %q", got)
	}
}
