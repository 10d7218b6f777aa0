package staleness

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/fleet"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/redis/go-redis/v9"
)

// WorkerCommand is the hidden command that is a process of the scenario.
const WorkerCommand = "staleness-worker"

// order is what a process is told; one of the fields is set.
type order struct {
	Play  *play        `json:",omitempty"`
	Go    bool         `json:",omitempty"` // begin to read
	Stop  bool         `json:",omitempty"` // end it
	Judge [][]change   `json:",omitempty"` // compare what was read with the history of each key
	Reply *fleet.Reply `json:",omitempty"`
}

// play is one way.
type play struct {
	Access    server.Access
	Heard     map[string]string // the addresses that lead to Redis over proxies
	Namespace string
	Way       string
	Config    Config
}

// answer is what a process says; one of the fields is set.
type answer struct {
	Ready    bool            `json:",omitempty"`
	Reads    int64           `json:",omitempty"` // so far
	Question *fleet.Question `json:",omitempty"`
	Stopped  bool            `json:",omitempty"`
	Found    *found          `json:",omitempty"`
}

// found is what a process has found of one way.
type found struct {
	finding
	Errors int64
	First  string
}

// pause is how long a goroutine rests between two reads of its key.
const pause = 2 * time.Millisecond

// Work is the life of a process.
func Work(in io.Reader, out io.Writer) error {
	server.Silence()
	w := &worker{say: fleet.Voice[answer](out)}
	w.origin = fleet.NewOrigin(func(q fleet.Question) { w.say(answer{Question: &q}) })
	return fleet.Attend(in, func(o order) error {
		switch {
		case o.Reply != nil:
			w.origin.Reply(*o.Reply)
		case o.Play != nil:
			w.play, w.stop, w.reads, w.errors, w.first = *o.Play, make(chan struct{}), make([][]read, o.Play.Config.Keys), 0, nil
			go w.prepare()
		case o.Go:
			go w.work()
		case o.Stop:
			close(w.stop)
		case o.Judge != nil:
			go w.judge(o.Judge)
		}
		return nil
	})
}

// worker is a process. It does one play after another.
type worker struct {
	say    func(answer)
	origin *fleet.Origin

	play       play
	rdb, heard redis.UniversalClient
	user       user
	stop       chan struct{}
	reads      [][]read // by key
	ended      int64

	mu     sync.Mutex
	errors int64
	first  error
}

// prepare opens the user, and reads each key once.
func (w *worker) prepare() {
	ctx, p := context.Background(), w.play
	w.rdb, w.heard = p.Access.Client(nil), p.Access.Client(p.Heard)
	var err error
	w.user, err = wayOf(p.Way).open(ctx, setup{
		rdb: w.rdb, heard: w.heard, namespace: p.Namespace, read: w.origin.Read, lease: p.Config.Lease, ttl: p.Config.TTL,
	})
	if err != nil {
		w.fail(err)
	} else {
		for k := range w.reads {
			w.one(k)
		}
	}
	w.say(answer{Ready: true})
}

func (w *worker) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.errors++; w.first == nil {
		w.first = err
	}
}

// one reads a key.
func (w *worker) one(k int) {
	r := read{begin: fleet.Now()}
	row, err := w.user.Read(context.Background(), uint32(k))
	if err != nil {
		w.fail(err)
		return
	}
	r.end, r.version = fleet.Now(), row.Version
	w.reads[k] = append(w.reads[k], r)
}

// work reads all keys until it is told to stop, and each once more.
func (w *worker) work() {
	defer func() {
		w.rdb.Close()
		w.heard.Close()
		w.say(answer{Stopped: true})
	}()
	if w.user == nil {
		return
	}
	var all, counting sync.WaitGroup
	var reads atomic.Int64
	for k := range w.reads {
		all.Go(func() {
			timer := time.NewTimer(0)
			defer timer.Stop()
			for {
				select {
				case <-timer.C:
				case <-w.stop:
					w.one(k)
					return
				}
				w.one(k)
				reads.Add(1)
				timer.Reset(pause)
			}
		})
	}
	over := make(chan struct{})
	counting.Go(func() { fleet.Count(&reads, over, func(n int64) { w.say(answer{Reads: n}) }) })
	all.Wait()
	close(over)
	counting.Wait()
	w.ended = fleet.Now()
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	if err := w.user.Close(ctx); err != nil {
		w.fail(err)
	}
}

// closing bounds the end of a user.
const closing = 2 * time.Second

// judge compares what was read with what is in the histories.
func (w *worker) judge(histories [][]change) {
	f := &found{Errors: w.errors}
	for k, reads := range w.reads {
		f.add(judge(reads, histories[k], w.ended))
	}
	if w.first != nil {
		f.First = w.first.Error()
	}
	w.say(answer{Found: f})
}
