package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/redis/go-redis/v9"
)

// watch returns what a server shows of the commands that do sends, as redis-cli
// MONITOR prints it.
func watch(t *testing.T, address string, do func(*redis.Client)) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	var text strings.Builder
	next := func() string {
		line, err := in.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		line = strings.TrimPrefix(line, "+")
		text.WriteString(strings.ReplaceAll(line, "\r\n", "\n"))
		return line
	}
	fmt.Fprint(conn, "MONITOR\r\n")
	next()
	c := redis.NewClient(&redis.Options{Addr: address, DisableIdentity: true})
	defer c.Close()
	do(c)
	const last = "that was all"
	if err := c.Echo(t.Context(), last).Err(); err != nil {
		t.Fatal(err)
	}
	for !strings.Contains(next(), last) {
	}
	return text.String()
}

func TestTrafficOfARealServerIsRead(t *testing.T) {
	ctx := t.Context()
	const strange = "a \"key\"\\\r\n\t\a\b\x00\xff é ] [0 x] \"GET\""
	text := watch(t, redistest.Private(t).Addr(), func(c *redis.Client) {
		c.Get(ctx, strange)
		c.Set(ctx, strange, strings.Repeat("\x00", 100_000), time.Minute)
		c.Get(ctx, strange)
		c.MGet(ctx, "b", strange)
		c.HSet(ctx, "h", "field", "value")
		c.ExpireAt(ctx, "h", time.Now().Add(time.Hour+time.Minute/2))
		c.Eval(ctx, `return redis.call("GET", KEYS[1])`, []string{"b"})
		c.Del(ctx, "b", "h")
	})
	tr, err := trace.Parse(ctx, "MONITOR", strings.NewReader(text), trace.Options{})
	if err != nil {
		t.Fatal(err)
	}
	size := len(strange) + 100_000
	var got []string
	for i, id := range tr.IDs {
		got = append(got, fmt.Sprint(id, tr.Op(i), tr.Sizes[i], tr.TTLs[i]))
	}
	want := []string{
		fmt.Sprint(0, trace.Read, size, 0), fmt.Sprint(0, trace.Write, size, 60), fmt.Sprint(0, trace.Read, size, 0),
		fmt.Sprint(1, trace.Read, 0, 0), fmt.Sprint(0, trace.Read, size, 0),
		fmt.Sprint(2, trace.Write, 0, tr.TTLs[5]), fmt.Sprint(1, trace.Read, 0, 0),
		fmt.Sprint(1, trace.Delete, 0, 0), fmt.Sprint(2, trace.Delete, 0, 0),
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") || tr.TTLs[5] < 3600 || tr.TTLs[5] > 3660 {
		t.Errorf("requests are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if tr.Format != trace.Monitor || len(tr.Doubts) != 1 || !strings.Contains(tr.Doubts[0], "EVAL 1") {
		t.Errorf("%s, doubts %q", tr.Format, tr.Doubts)
	}
}
