package fleet

import (
	"context"
	"sync"

	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// Database is the one database of a run, in the parent, which processes ask through an
// Origin; and how much each of them says that it has read. Its methods may be called by
// several goroutines.
type Database struct {
	queries   context.Context
	cancel    context.CancelFunc
	answering sync.WaitGroup

	mu    sync.Mutex
	db    *simdb.DB
	reads map[int]int64
}

// NewDatabase returns a Database without rows; see Begin. The caller must call End.
func NewDatabase() *Database {
	d := &Database{}
	d.queries, d.cancel = context.WithCancel(context.Background())
	return d
}

// Begin makes the rows anew, and returns how many reads processes say to have done since.
func (d *Database) Begin(s simdb.Settings) (reads func() int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.db, d.reads = simdb.New(s), map[int]int64{}
	return func() (n int64) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, m := range d.reads {
			n += m
		}
		return n
	}
}

// DB returns the rows.
func (d *Database) DB() *simdb.DB {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.db
}

// Answer asks the rows, and calls reply when they have answered. It does not wait.
func (d *Database) Answer(q Question, reply func(Reply)) {
	db := d.DB()
	d.answering.Go(func() { reply(q.Answer(d.queries, db)) })
}

// Read notes how much a process says to have read since Begin.
func (d *Database) Read(process int, n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reads[process] = n
}

// End gives all queries up, calls processes, which must end those that replies go to, and
// returns when no reply is on its way.
func (d *Database) End(processes func()) {
	d.cancel()
	processes()
	d.answering.Wait()
}
