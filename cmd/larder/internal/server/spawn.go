package server

import (
	"context"
	"strings"

	"github.com/larder-cache/larder/internal/redisproc"
)

// openSpawned starts a server, or the nodes of a cluster.
func openSpawned(ctx context.Context, cluster bool) (*Server, error) {
	addresses, stop, err := spawn(ctx, cluster)
	if err != nil {
		return nil, err
	}
	t, err := ParseTarget(strings.Join(addresses, ","))
	if err == nil {
		var s *Server
		if s, err = t.connect(ctx); err == nil {
			s.Info.Kind, s.stop = "spawned", stop
			return s, nil
		}
	}
	stop()
	return nil, err
}

func spawn(ctx context.Context, cluster bool) (addresses []string, stop func() error, err error) {
	if cluster {
		c, err := redisproc.StartCluster(ctx, redisproc.ClusterOptions{})
		if err != nil {
			return nil, nil, err
		}
		return c.Addrs(), c.Stop, nil
	}
	s, err := redisproc.Start(ctx, redisproc.Options{})
	if err != nil {
		return nil, nil, err
	}
	return []string{s.Addr()}, s.Stop, nil
}
