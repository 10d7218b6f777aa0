//go:build linux || darwin

package fleet

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"go.uber.org/goleak"
)

const (
	workerCommand = "fleet-worker"
	parentCommand = "fleet-parent"
)

type order struct {
	Say         string
	Fail, Sleep bool
}

type answer struct{ Said string }

// pids returns the ids of the processes.
func pids(f *Fleet[order, answer]) (all []int) {
	for _, m := range f.members {
		all = append(all, m.cmd.Process.Pid)
	}
	return all
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case workerCommand:
			say := Voice[answer](os.Stdout)
			if err := Attend(os.Stdin, func(o order) error {
				if o.Sleep {
					time.Sleep(time.Hour)
				}
				if o.Fail {
					return fmt.Errorf("it was told to fail")
				}
				say(answer{o.Say})
				return nil
			}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		case parentCommand:
			f, err := Start[order, answer](workerCommand, 2, func(int, answer) {})
			if err != nil {
				panic(err)
			}
			for _, pid := range pids(f) {
				fmt.Println(pid)
			}
			select {}
		}
	}
	goleak.VerifyTestMain(m)
}

// heard collects answers.
type heard struct {
	mu  sync.Mutex
	all map[int][]string
	n   chan struct{}
}

func newHeard() *heard { return &heard{all: map[int][]string{}, n: make(chan struct{}, 100)} }

func (h *heard) hear(from int, a answer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all[from] = append(h.all[from], a.Said)
	h.n <- struct{}{}
}

func TestEachProcessAnswersItsOrdersInTurn(t *testing.T) {
	h := newHeard()
	f, err := Start[order, answer](workerCommand, 3, h.hear)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for i := range 3 {
		if err := f.Order(i, order{Say: fmt.Sprint("to ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.OrderAll(order{Say: "to all"}); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		<-h.n
	}
	for i := range 3 {
		if got, want := strings.Join(h.all[i], ", "), fmt.Sprintf("to %d, to all", i); got != want {
			t.Errorf("process %d said %q, not %q", i, got, want)
		}
	}
	f.Close()
	if err := f.Err(); err != context.Canceled {
		t.Errorf("an end that was wanted is the error %v", err)
	}
}

func TestAProcessThatFailsIsNoticedWithItsWords(t *testing.T) {
	f, err := Start[order, answer](workerCommand, 2, func(int, answer) {})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Order(1, order{Fail: true}); err != nil {
		t.Fatal(err)
	}
	<-f.Failed()
	if err := f.Err(); err == nil || !strings.Contains(err.Error(), "process 1") || !strings.Contains(err.Error(), "it was told to fail") {
		t.Errorf("the error is %v", err)
	}
}

func TestAProcessThatDoesNotEndIsKilled(t *testing.T) {
	f, err := Start[order, answer](workerCommand, 1, func(int, answer) {})
	if err != nil {
		t.Fatal(err)
	}
	f.parting = 100 * time.Millisecond
	if err := f.Order(0, order{Sleep: true}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if alive(pids(f)[0]) {
		t.Error("it is still there")
	}
}

func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

func TestProcessesEndWhenTheParentIsKilled(t *testing.T) {
	parent := exec.Command(os.Args[0], parentCommand)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	for lines := bufio.NewScanner(out); len(pids) < 2 && lines.Scan(); {
		var pid int
		if _, err := fmt.Sscan(lines.Text(), &pid); err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	for _, pid := range pids {
		if !alive(pid) {
			t.Errorf("process %d does not live", pid)
		}
	}
	parent.Process.Kill()
	parent.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for _, pid := range pids {
		for alive(pid) && !zombie(pid) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d lives on", pid)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

// zombie reports whether a process is dead, but that nobody has waited for it.
func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

func TestRepliesReachWhoHasAsked(t *testing.T) {
	asked := make(chan Question, 2)
	o := NewOrigin(func(q Question) { asked <- q })
	var all sync.WaitGroup
	for _, row := range []uint32{7, 8} {
		all.Go(func() {
			if got, err := o.Read(t.Context(), row); err != nil || got.ID != row {
				t.Errorf("row %d: %+v, %v", row, got, err)
			}
		})
	}
	a, b := <-asked, <-asked
	o.Reply(Reply{N: b.N, Row: simdb.Row{ID: b.Row}})
	o.Reply(Reply{N: a.N, Row: simdb.Row{ID: a.Row}})
	all.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := o.Read(ctx, 9); err != context.Canceled {
		t.Errorf("who has left has the error %v", err)
	}
	late := <-asked
	o.Reply(Reply{N: late.N}) // nobody waits
	go func() { o.Reply(Reply{N: (<-asked).N, Err: "no such row"}) }()
	if _, err := o.Read(t.Context(), 9); err == nil || err.Error() != "no such row" {
		t.Errorf("the error of the database is %v", err)
	}
}

func TestAQuestionIsAnsweredByTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := simdb.New(simdb.Settings{Rows: 2, GroupSize: 1, Connections: 1, Delay: simdb.Delay{Median: time.Second}})
		if r := (Question{N: 3, Row: 1}).Answer(t.Context(), db); r.N != 3 || r.Row.ID != 1 || r.Row.Version != 1 || r.Err != "" {
			t.Errorf("%+v", r)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if r := (Question{N: 4, Row: 1}).Answer(ctx, db); r.N != 4 || r.Err == "" {
			t.Errorf("%+v", r)
		}
	})
}
