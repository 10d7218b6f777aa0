//go:build unix

package redisstore

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	ours "github.com/larder-cache/larder/internal/clock"
	"github.com/larder-cache/larder/memstore"
)

// talkTTL is for how long what a talker loads is fresh.
const talkTTL = 10 * time.Minute

// request is what a talker is told to do.
type request struct {
	Get  string        // the key
	Step time.Duration // by how much the wall clock is ahead of what it was at the start
}

// talk is what it answers.
type talk struct {
	Level          string
	Age, Remaining time.Duration
	Err            string
}

// obey is the program of a child that does what it is told. Its loads answer with the
// index of the child.
func (c child) obey() {
	ours.Skew(c.Skew)
	ctx := context.Background()
	space, err := Open(ctx, client(c.Kind, c.Master, c.Addrs, c.Roots), "talk", &Options{NoBus: c.NoBus, Timeout: 10 * time.Second})
	if err != nil {
		panic(err)
	}
	l1 := memstore.New[string, int](space.Domain, 100, nil)
	rows := cache.Tiered(l1, New[string, int](space, "rows", nil))
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), json.NewEncoder(os.Stdout)
	for {
		var t request
		if in.Decode(&t) != nil {
			os.Exit(0)
		}
		if t.Get == "" {
			ours.Step(t.Step)
			out.Encode(talk{})
			continue
		}
		s, err := c.get(ctx, l1, rows, t.Get)
		if err != nil {
			s.Err = err.Error()
		}
		out.Encode(s)
	}
}

// get returns where a value was, for how long it has been there and will be fresh.
func (c child) get(ctx context.Context, l1, rows cache.Cache[string, int], key string) (talk, error) {
	level, e := "memory", (*cache.Entry[int])(nil)
	var err error
	if e, err = l1.Get(ctx, key); e == nil && err == nil {
		level = "redis"
		e, err = rows.Get(ctx, key)
	}
	if e == nil && err == nil {
		level = "origin"
		var f cache.Fill[int]
		if f, err = rows.Reserve(ctx, cache.Slot[string]{Key: key}); err != nil {
			return talk{}, err
		}
		now := cache.Now()
		e = &cache.Entry[int]{Value: c.Index, Fresh: now.Add(talkTTL), Expires: now.Add(talkTTL)}
		e.SetLoaded(now)
		var out []cache.Outcome
		if out, err = f.Commit(ctx, e); err == nil && out[0] != cache.Stored {
			err = fmt.Errorf("the commit is %v", out[0])
		}
	}
	if err != nil {
		return talk{}, err
	}
	now := cache.Now()
	return talk{Level: level, Age: now.Sub(e.Loaded()), Remaining: e.Fresh.Sub(now)}, nil
}

// talker is a child that does what it is told.
type talker struct {
	t   *testing.T
	in  io.WriteCloser
	out *json.Decoder
}

func (c child) talker(t *testing.T) *talker {
	c.Do = "talk"
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), "LARDER_CHILD="+string(text)), os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return &talker{t, in, json.NewDecoder(out)}
}

func (k *talker) does(o request) (s talk) {
	k.t.Helper()
	text, _ := json.Marshal(o)
	if _, err := k.in.Write(append(text, '\n')); err != nil {
		k.t.Fatal(err)
	}
	if err := k.out.Decode(&s); err != nil || s.Err != "" {
		k.t.Fatalf("%+v: %v %s", o, err, s.Err)
	}
	return s
}
