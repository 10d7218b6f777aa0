package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// greeter returns what makes a connection ready for commands: what go-redis says to a
// server first, by the options of the user, and then what hook asks. A client of its own
// does it, for one connection, and is gone before the connection is used.
func greeter(o redis.Options, hook connectHook) func(context.Context, *wire) error {
	o.PoolSize, o.MinIdleConns, o.MaxIdleConns, o.MaxActiveConns, o.PipelinePoolSize = 1, 0, 0, 0, -1
	o.ReadBufferSize, o.WriteBufferSize = 4096, 32<<10 // what is said goes out in one piece
	o.ReadTimeout, o.WriteTimeout, o.PoolTimeout, o.DialTimeout = makeTime, makeTime, makeTime, makeTime
	o.ConnMaxIdleTime, o.ConnMaxLifetime = -1, 0
	o.Limiter = nil
	return func(ctx context.Context, w *wire) error {
		o, ready := o, false
		o.OnConnect = func(ctx context.Context, cn *redis.Conn) error {
			err := hook(ctx, cn)
			ready = err == nil
			return err
		}
		o.Dialer = func(context.Context, string, string) (net.Conn, error) { return lent{w}, nil }
		client := redis.NewClient(&o)
		defer client.Close()
		// The PING measures the round trip. That it is answered is enough: a user need
		// not be allowed to.
		err := client.Ping(ctx).Err()
		var reply redis.Error
		if err == nil || ready && errors.As(err, &reply) {
			return nil
		}
		if (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) && o.TLSConfig == nil {
			return fmt.Errorf("%w: %w", errNotGreeted, err)
		}
		return err
	}
}

var errNotGreeted = errors.New("the server closed the connection when it was greeted")

// lent is a wire that whoever has it cannot close.
type lent struct{ *wire }

func (lent) Close() error { return nil }
