package stampede

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/larder-cache/larder/benchmarks/wire"
)

// order says what a process is to do.
type order struct {
	Key        string
	Goroutines int
	Start      int64 // when, in nanoseconds since 1970: all processes are on one machine
}

// answer says what came of it.
type answer struct {
	Loads, Commands int64
	Waits           []time.Duration // of each goroutine, from the start
	Error           string
}

const (
	libraryVariable = "LARDER_STAMPEDE_LIBRARY"
	addressVariable = "LARDER_STAMPEDE_REDIS"
)

// child obeys the orders on its standard input.
func child(in io.Reader, out io.Writer, name, addr string) error {
	var c wire.Counter
	var o origin
	var read reader
	for _, l := range libraries {
		if l.name == name {
			var err error
			if read, err = l.open(client(addr, &c), &o); err != nil {
				return err
			}
		}
	}
	if read == nil {
		return fmt.Errorf("there is no library %q", name)
	}
	answers := json.NewEncoder(out)
	for orders := json.NewDecoder(in); ; {
		var next order
		if err := orders.Decode(&next); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if err := answers.Encode(storm(read, &o, &c, next)); err != nil {
			return err
		}
	}
}

func storm(read reader, o *origin, c *wire.Counter, next order) answer {
	loads, commands := o.loads.Load(), c.Commands()
	a := answer{Waits: make([]time.Duration, next.Goroutines)}
	errs := make([]error, next.Goroutines)
	start := time.Unix(0, next.Start)
	gate := make(chan struct{})
	var wg sync.WaitGroup
	for i := range next.Goroutines {
		wg.Go(func() {
			<-gate
			v, err := read(context.Background(), next.Key)
			a.Waits[i] = time.Since(start)
			if err == nil && v != "the value of "+next.Key {
				err = fmt.Errorf("it is %q", v)
			}
			errs[i] = err
		})
	}
	time.Sleep(time.Until(start))
	close(gate)
	wg.Wait()
	time.Sleep(20 * time.Millisecond) // for what is stored behind the callers' backs
	a.Loads, a.Commands = o.loads.Load()-loads, c.Commands()-commands
	if err := errors.Join(errs...); err != nil {
		a.Error = err.Error()
	}
	return a
}

// process is a child, seen from its parent.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	orders  *json.Encoder
	answers *json.Decoder
}

// spawn starts this program again, as a child.
func spawn(library, addr string) (*process, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), libraryVariable+"="+library, addressVariable+"="+addr)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &process{cmd, in, json.NewEncoder(in), json.NewDecoder(bufio.NewReader(out))}, nil
}

// stop ends the child: it has nothing to obey any more.
func (p *process) stop() error {
	p.in.Close()
	return p.cmd.Wait()
}

var keys int

// together lets all processes ask for a key that is cold.
func together(processes []*process, goroutines int) ([]answer, error) {
	keys++
	next := order{Key: "cold:" + strconv.Itoa(keys), Goroutines: goroutines, Start: time.Now().Add(20 * time.Millisecond).UnixNano()}
	answers := make([]answer, len(processes))
	for _, p := range processes {
		if err := p.orders.Encode(next); err != nil {
			return nil, err
		}
	}
	for i, p := range processes {
		if err := p.answers.Decode(&answers[i]); err != nil {
			return nil, err
		}
		if answers[i].Error != "" {
			return nil, errors.New(answers[i].Error)
		}
	}
	return answers, nil
}
