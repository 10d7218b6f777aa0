package redisstore

import (
	"context"
	"net"
	"sync"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// connections knows the open connections of a space, so that those to one address
// can be closed. A client of go-redis has no way to do that.
type connections struct {
	mu   sync.Mutex
	open map[string]map[*connection]struct{} // by address
}

// connection takes itself off the list when it is closed.
type connection struct {
	net.Conn
	list *connections
	addr string
	once sync.Once
}

// checkedConnection is a connection that go-redis can look at before it uses it: it
// asks for a syscall.Conn, to find out whether the server has closed the other end.
type checkedConnection struct {
	*connection
	syscall.Conn
}

func (c checkedConnection) SyscallConn() (syscall.RawConn, error) { return c.Conn.SyscallConn() }

// dialer is the type of a Dialer of go-redis.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// dials returns dial, with what it opens on the list under name.
func (l *connections) dials(name string, dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return l.add(name, conn), nil
	}
}

func (l *connections) add(name string, conn net.Conn) net.Conn {
	c := &connection{Conn: conn, list: l, addr: name}
	l.mu.Lock()
	if l.open == nil {
		l.open = map[string]map[*connection]struct{}{}
	}
	if l.open[name] == nil {
		l.open[name] = map[*connection]struct{}{}
	}
	l.open[name][c] = struct{}{}
	l.mu.Unlock()
	if raw, ok := conn.(syscall.Conn); ok {
		return checkedConnection{c, raw}
	}
	return c
}

// Close closes the connection and takes it off the list.
func (c *connection) Close() error {
	c.once.Do(func() {
		c.list.mu.Lock()
		defer c.list.mu.Unlock()
		delete(c.list.open[c.addr], c)
		if len(c.list.open[c.addr]) == 0 {
			delete(c.list.open, c.addr)
		}
	})
	return c.Conn.Close()
}

// closeAll closes all connections of a name and returns how many there were. A command
// that is under way on one of them fails.
func (l *connections) closeAll(name string) int {
	l.mu.Lock()
	all := make([]*connection, 0, len(l.open[name]))
	for c := range l.open[name] {
		all = append(all, c)
	}
	l.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
	return len(all)
}

// dialsTo has a client's connections on the list under name. The options have to
// have their defaults.
func (l *connections) dialsTo(name string, o *redis.Options) {
	dial := o.Dialer
	if dial == nil {
		dial = redis.NewDialer(o)
	}
	o.Dialer = l.dials(name, dial)
}
