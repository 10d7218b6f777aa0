package redistest

import (
	"context"
	"testing"

	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Standalone returns the server that the tests share.
func Standalone(t testing.TB) *redisproc.Server {
	t.Helper()
	return standalone.get(t)
}

// Cluster returns the cluster of three masters that the tests share. Its start
// takes more than two seconds.
func Cluster(t testing.TB) *redisproc.Cluster {
	t.Helper()
	return cluster.get(t)
}

// Private returns a server of the test's own, which may be stopped, paused and
// filled up. It takes some 20 ms to start and is stopped after the test.
func Private(t testing.TB, args ...string) *redisproc.Server {
	t.Helper()
	return own(t, func(ctx context.Context) (*redisproc.Server, error) {
		return redisproc.Start(ctx, redisproc.Options{Args: args})
	})
}

// Authority returns the certificate authority of the tests.
func Authority(t testing.TB) *redisproc.Authority {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// PrivateTLS is Private with TLS, by Authority.
func PrivateTLS(t testing.TB, args ...string) *redisproc.Server {
	t.Helper()
	a := Authority(t)
	return own(t, func(ctx context.Context) (*redisproc.Server, error) {
		return redisproc.Start(ctx, redisproc.Options{Args: args, Authority: a})
	})
}

// Client returns a client of Standalone that is closed after the test.
func Client(t testing.TB) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{
		Addr: Standalone(t).Addr(), ContextTimeoutEnabled: true, MaintNotificationsConfig: noNotifications(),
	})
	t.Cleanup(func() { c.Close() })
	return c
}

// ClusterClient returns a client of Cluster that is closed after the test.
func ClusterClient(t testing.TB) *redis.ClusterClient {
	t.Helper()
	c := redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: Cluster(t).Addrs(), ContextTimeoutEnabled: true, MaintNotificationsConfig: noNotifications(),
	})
	t.Cleanup(func() { c.Close() })
	return c
}

func noNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// Sentinel returns a master with two replicas and three sentinels, of the test's
// own. It takes some seconds to start.
func Sentinel(t testing.TB) *redisproc.Sentinel {
	t.Helper()
	return own(t, func(ctx context.Context) (*redisproc.Sentinel, error) {
		return redisproc.StartSentinel(ctx, redisproc.SentinelOptions{})
	})
}

// SentinelTLS is Sentinel with TLS, by Authority.
func SentinelTLS(t testing.TB) *redisproc.Sentinel {
	t.Helper()
	a := Authority(t)
	return own(t, func(ctx context.Context) (*redisproc.Sentinel, error) {
		return redisproc.StartSentinel(ctx, redisproc.SentinelOptions{Authority: a})
	})
}

// ClusterOf returns a cluster of the test's own.
func ClusterOf(t testing.TB, o redisproc.ClusterOptions) *redisproc.Cluster {
	t.Helper()
	return own(t, func(ctx context.Context) (*redisproc.Cluster, error) { return redisproc.StartCluster(ctx, o) })
}
