package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// Attend is the life of a process: it calls do with each order until in ends, or do
// returns an error. What do begins must not need Attend's goroutine for longer than a
// moment, or no order is heard meanwhile.
func Attend[O any](in io.Reader, do func(O) error) error {
	for d := json.NewDecoder(in); ; {
		var o O
		if err := d.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("an order cannot be read: %w", err)
		}
		if err := do(o); err != nil {
			return err
		}
	}
}

// Voice returns a function that writes answers to out; it may be called by several
// goroutines. An answer that cannot be written is for nobody: the parent is gone.
func Voice[A any](out io.Writer) func(A) {
	var mu sync.Mutex
	e := json.NewEncoder(out)
	return func(a A) {
		mu.Lock()
		defer mu.Unlock()
		e.Encode(a)
	}
}

// Count says every now and then how far a counter is, until over is closed.
func Count(counter *atomic.Int64, over <-chan struct{}, say func(int64)) {
	ticker := time.NewTicker(200 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			say(counter.Load())
		case <-over:
			return
		}
	}
}
