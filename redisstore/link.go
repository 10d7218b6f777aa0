package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// link makes the connections of one client to one server. The client asks for one in the
// middle of a command, and the command has little time; so connections are made beside
// it, in their own time, and whoever asks waits for as long as a command may take. What
// was begun is finished, and kept for the next.
type link struct {
	space *Space
	name  string // the address, or "" if a single primary is meant, wherever it is
	addr  string // for people
	// greet makes a connection that is open ready for commands.
	greet func(context.Context, *wire) error
	dial  dialer
	// patience is for how long a connection is waited for.
	patience func() time.Duration
	age      atomic.Uint64
	trip     atomic.Int64 // the round trip, in nanoseconds
	ctx      context.Context
	stop     context.CancelFunc

	mu      sync.Mutex
	ready   []*wire // for which nobody has waited
	wires   map[*wire]struct{}
	makers  map[*maker]struct{}
	waiting []chan *wire
	last    error // of the last connection that could not be made
	client  *redis.Client
	keeper  *time.Timer
	closed  bool
}

// maker is a connection that is being made, of an age.
type maker struct {
	began time.Time
	age   uint64
}

const (
	// makeTime bounds the making of a connection: dialling, TLS, and what is asked before
	// the first command.
	makeTime = 5 * time.Second
	// backstop bounds commands that have no deadline; there is none.
	backstop = 30 * time.Second
	// makers is how many connections are made to a server at once. Each costs it more
	// than the command it is for, so when it is too slow, many would keep it so. For each
	// farStep of the round trip there may be one more, up to makersMost.
	makers     = 2
	makersMost = 8
	farStep    = 5 * time.Millisecond
	// overdue is the age from which a maker is not counted: nothing may come of it.
	overdue = time.Second
	// keepEvery is how often a link looks after its connections: one is kept in use,
	// and those that were not in use for idleMost are closed, before something between
	// here and the server forgets them. Balancers do that after some minutes, or less.
	keepEvery = 15 * time.Second
	idleMost  = time.Minute
)

// newLink returns a link to where the options of a client lead, and options for a client
// of our own that gets its connections from it.
func (s *Space) newLink(name string, from *redis.Options, patience func() time.Duration) (*link, *redis.Options) {
	o := *from
	if o.Network == "" {
		if o.Network = "tcp"; strings.HasPrefix(o.Addr, "/") {
			o.Network = "unix"
		}
	}
	o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries = true, -1, 1
	o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, noNotifications()
	o.Protocol = 2                                        // nothing is pushed to these connections, so nobody need look
	o.ClientSideCache, o.ClientSideCacheConfig = nil, nil // it would serve old versions of tags
	l := &link{space: s, name: name, addr: o.Addr, patience: patience,
		dial: at(dialerOf(&o), o.Network, o.Addr), greet: greeter(o, s.onConnect(name, o.OnConnect)),
		wires: map[*wire]struct{}{}, makers: map[*maker]struct{}{}}
	l.ctx, l.stop = context.WithCancel(context.Background())
	s.connections.add(l)

	// What greet does need not be done again.
	o.Dialer, o.OnConnect = l.take, nil
	o.Username, o.Password, o.CredentialsProvider, o.CredentialsProviderContext = "", "", nil, nil
	o.ClientName, o.DisableIdentity = "", true
	o.MinIdleConns, o.MaxConcurrentDials = 0, 0
	o.PipelinePoolSize = -1 // or a pipeline would wait for a connection twice, once in each pool
	o.DialTimeout, o.PoolTimeout = makeTime, patience()
	o.ReadTimeout, o.WriteTimeout = backstop, backstop // the deadline of a command is earlier
	if o.ConnMaxIdleTime <= 0 || o.ConnMaxIdleTime > idleMost {
		o.ConnMaxIdleTime = idleMost
	}
	return l, &o
}

// serves says which client the link makes connections for.
func (l *link) serves(client *redis.Client) *redis.Client {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.client = client
	return client
}

// take is the dialer of the client.
func (l *link) take(ctx context.Context, _, _ string) (net.Conn, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, net.ErrClosed
	}
	for n := len(l.ready); n > 0; n = len(l.ready) {
		w := l.ready[n-1]
		l.ready = l.ready[:n-1]
		if w.age == l.age.Load() && !w.closed.Load() {
			l.begin(true)
			l.mu.Unlock()
			return w, nil
		}
		defer w.end()
	}
	me := make(chan *wire, 1)
	l.waiting = append(l.waiting, me)
	l.begin(false)
	l.mu.Unlock()
	patience := l.patience()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case w := <-me:
		if w != nil {
			return w, nil
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.last == nil {
			return nil, net.ErrClosed
		}
		return nil, l.last
	case <-timer.C:
	case <-ctx.Done():
	case <-l.ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(c chan *wire) bool { return c == me })
	select {
	case w := <-me: // it came at the same moment
		if w != nil {
			return w, nil
		}
	default:
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, noConnection(patience, l.last)
}

// begin makes as many connections as are waited for, within limits, and a spare one if
// the server is so far away that nobody could wait for it. The lock is held.
func (l *link) begin(spare bool) {
	trip := time.Duration(l.trip.Load())
	wanted := len(l.waiting)
	if spare && trip >= farStep && len(l.ready) == 0 {
		wanted++
	}
	busy := 0
	for m := range l.makers {
		if time.Since(m.began) < overdue {
			busy++
		}
	}
	most := min(makers+int(trip/farStep), makersMost)
	for ; !l.closed && busy < min(wanted, most) && len(l.makers) < makersMost; busy++ {
		m := &maker{time.Now(), l.age.Load()}
		l.makers[m] = struct{}{}
		go l.run(m)
	}
}

// run makes a connection.
func (l *link) run(m *maker) {
	w, err := l.make(m.age)
	if err == nil {
		l.space.solved(ProblemTLS, l.addr)
	} else {
		l.space.refusedTLS(l.addr, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.makers, m)
	if err != nil && m.age == l.age.Load() { // else the next is another matter
		l.last = err
		for _, c := range l.waiting {
			c <- nil
		}
		l.waiting = nil
		return
	}
	if err == nil {
		l.last = nil
		if !l.give(w) {
			go w.end()
		}
	}
	l.begin(err == nil)
}

// give hands a connection to who waits for one, or keeps it. The lock is held.
func (l *link) give(w *wire) bool {
	if l.closed || w.closed.Load() || w.age != l.age.Load() {
		return false
	}
	w.greeted.Store(false)
	if len(l.waiting) > 0 {
		l.waiting[0] <- w
		l.waiting = l.waiting[1:]
	} else {
		l.ready = append(l.ready, w)
	}
	if l.keeper == nil {
		l.keeper = time.AfterFunc(keepPause(), l.tend)
	}
	return true
}

// keep takes a connection back that the client has not used.
func (l *link) keep(w *wire) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.give(w)
}

// make makes a connection.
func (l *link) make(age uint64) (*wire, error) {
	ctx, cancel := context.WithTimeout(l.ctx, makeTime)
	defer cancel()
	conn, err := dialAside(ctx, l.dial)
	if err != nil {
		return nil, err
	}
	w := newWire(l, conn, age)
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		conn.Close()
		return nil, net.ErrClosed
	}
	l.wires[w] = struct{}{}
	l.mu.Unlock()
	if err := l.greet(ctx, w); err != nil {
		w.end()
		return nil, err
	}
	return w, nil
}

func (l *link) forget(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.wires, w)
}

// distrust ends the use of connections of an age, unless that has been done.
func (l *link) distrust(age uint64) { l.age.CompareAndSwap(age, age+1) }

// closeAll closes all connections, also those in use and those that are being made, and
// returns how many there were.
func (l *link) closeAll() int {
	l.age.Add(1)
	l.mu.Lock()
	all := make([]*wire, 0, len(l.wires))
	for w := range l.wires {
		all = append(all, w)
	}
	l.ready = nil
	l.mu.Unlock()
	for _, w := range all {
		w.end()
	}
	return len(all)
}

// tend closes connections that nobody uses, and sees to it that one that works is there:
// a PING shows whether the last is open still, and how long a round trip takes.
func (l *link) tend() {
	l.mu.Lock()
	var old []*wire
	for w := range l.wires {
		if idle := w.idle(); idle >= idleMost || idle > 0 && w.age != l.age.Load() {
			old = append(old, w)
		}
	}
	l.ready = slices.DeleteFunc(l.ready, func(w *wire) bool { return slices.Contains(old, w) })
	client := l.client
	l.mu.Unlock()
	for _, w := range old {
		w.end()
	}
	if client != nil {
		ctx := budget{l.ctx, time.Now().Add(makeTime)}
		if err := persist(ctx, func() error { return client.Ping(ctx).Err() }); errors.Is(err, redis.ErrClosed) {
			l.close()
		}
	}
	l.probe()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.keeper.Reset(keepPause())
	}
}

// probe makes a connection and drops it: if the address leads to another server by now, it
// meets that, even if the connections that are open all lead to the one before. And the
// client's own connection to a sentinel, which is asked first, does not idle. Without a bus
// nothing is said on it: greeting keeps what the space has in Redis alive, which an idle
// space should not.
func (l *link) probe() {
	if l.space.noBus {
		ctx, cancel := context.WithTimeout(l.ctx, makeTime)
		defer cancel()
		if conn, err := dialAside(ctx, l.dial); err == nil {
			conn.Close()
		}
		return
	}
	if w, err := l.make(l.age.Load()); err == nil {
		w.end()
	}
}

// keepPause is keepEvery, but not the same for all.
func keepPause() time.Duration { return keepEvery*3/4 + rand.N(keepEvery/2) }

// least is the least time that an exchange takes, or half of what it may take if that is
// less.
func (l *link) least() time.Duration {
	trip := time.Duration(l.trip.Load())
	return min(trip+trip/4, l.patience()/2)
}

// measured notes a round trip. The least counts; more is believed slowly.
func (l *link) measured(d time.Duration) {
	old := l.trip.Load()
	if old == 0 || int64(d) < old {
		l.trip.Store(int64(d))
	} else {
		l.trip.Store(old + (int64(d)-old)/8)
	}
	l.space.measured()
}

// close ends the link and its connections.
func (l *link) close() {
	l.stop()
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	if l.keeper != nil {
		l.keeper.Stop()
	}
	l.mu.Unlock()
	if !closed {
		l.space.connections.remove(l)
		l.closeAll()
	}
}
