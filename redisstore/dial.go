package redisstore

import (
	"context"
	"crypto/tls"
	"net"
	"reflect"
	"time"

	"github.com/redis/go-redis/v9"
)

// dialer is the type of a Dialer of go-redis.
type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// dialerOf returns what opens connections by the options of a client: the user's Dialer,
// or else our own, as that of go-redis does not heed its context when it speaks TLS.
func dialerOf(o *redis.Options) dialer {
	if o.Dialer != nil && !isDefault(o.Dialer) {
		return o.Dialer
	}
	d := &net.Dialer{Timeout: o.DialTimeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 30 * time.Second, Interval: 5 * time.Second, Count: 3,
	}}
	if o.TLSConfig == nil {
		return d.DialContext
	}
	return (&tls.Dialer{NetDialer: d, Config: o.TLSConfig}).DialContext
}

// isDefault reports whether a Dialer is the one that go-redis makes if the user gives
// none, which it puts into the options. If that could not be told, it would be used like
// a user's: with TLS a server that hangs would keep it for DialTimeout, and nobody else.
func isDefault(d dialer) bool {
	return reflect.ValueOf(d).Pointer() == reflect.ValueOf(redis.NewDialer(&redis.Options{})).Pointer()
}

// at returns d for one address.
func at(d dialer, network, addr string) dialer {
	return func(ctx context.Context, _, _ string) (net.Conn, error) { return d(ctx, network, addr) }
}

// dialAside dials on a goroutine that goes on by itself if the context ends and dial does
// not heed it, such as that of go-redis for Sentinel with TLS; what it gets then is
// closed.
func dialAside(ctx context.Context, dial dialer) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	go func() {
		conn, err := dial(ctx, "", "")
		select {
		case done <- result{conn, err}:
		case <-ctx.Done():
			if err == nil {
				conn.Close()
			}
		}
	}()
	select {
	case r := <-done:
		return r.conn, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
