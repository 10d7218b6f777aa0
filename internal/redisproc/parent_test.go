package redisproc

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

const parentEnv = "LARDER_REDISPROC_PARENT"

// beParent is the life of a process that starts a server and waits to be killed.
func beParent() int {
	s, err := Start(context.Background(), Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(s.Addr(), s.Dir())
	os.Stdin.Read(make([]byte, 1)) // returns when the test is over or dead
	s.Stop()
	return 0
}

func TestAServerDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env, parent.Stderr = append(os.Environ(), parentEnv+"=1"), os.Stderr
	in, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	addr, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	defer os.RemoveAll(dir)
	if err := client(t, addr).Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		parent.Process.Kill()
	} else {
		in.Close() // elsewhere only a parent that stops it ends it
	}
	parent.Wait()
	refused(t, addr)
}
