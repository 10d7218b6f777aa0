package outage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/redis/go-redis/v9"
)

// site is a server that is there to be hurt, and the way to it.
type site struct {
	server  *redisproc.Server
	proxy   *netfault.Proxy
	direct  *redis.Client // past the proxy
	version string
	loading chan error // of the restart that is under way
}

const (
	snapshotFile = "outage.rdb"
	// keyDelay is how long each key of the snapshot takes, and ballast how large
	// it is: that much is read before the server looks whether somebody asks
	// something.
	keyDelay = 10 * time.Millisecond
	ballast  = 1024
)

// openSite starts a server that needs the given time to load its snapshot.
func openSite(ctx context.Context, loading time.Duration) (s *site, err error) {
	s = &site{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
			s = nil
		}
	}()
	if s.server, err = redisproc.Start(ctx, redisproc.Options{Args: []string{
		"--dbfilename", snapshotFile, "--rdbcompression", "no", "--maxmemory-policy", "noeviction",
		"--key-load-delay", fmt.Sprint(keyDelay.Microseconds()),
		"--loading-process-events-interval-bytes", fmt.Sprint(ballast),
	}}); err != nil {
		return s, err
	}
	if s.proxy, err = netfault.Start(s.server.Addr()); err != nil {
		return s, err
	}
	s.direct = redis.NewClient(&redis.Options{Addr: s.server.Addr()})
	info, err := s.direct.Info(ctx, "server").Result()
	if err != nil {
		return s, err
	}
	s.version = server.Fact(info, "redis_version")
	return s, s.snapshot(ctx, int(loading/keyDelay))
}

// snapshot makes the file that is loaded in the fault loading. What is in it is
// of nobody, so that nothing comes back that was invalidated since.
func (s *site) snapshot(ctx context.Context, keys int) error {
	p := s.direct.Pipeline()
	for i := range keys {
		value := make([]byte, ballast)
		rand.Read(value) // never fails
		p.Set(ctx, fmt.Sprintf("ballast:%d", i), value, 0)
	}
	p.Save(ctx)
	p.FlushAll(ctx)
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("a snapshot: %w", err)
	}
	return os.Rename(s.file(), s.file()+".kept")
}

func (s *site) file() string { return filepath.Join(s.server.Dir(), snapshotFile) }

// load kills the server and has it started with the snapshot.
func (s *site) load(ctx context.Context) error {
	s.server.Kill()
	if err := os.Rename(s.file()+".kept", s.file()); err != nil {
		return err
	}
	s.loading = make(chan error, 1)
	go func() { s.loading <- s.server.Restart(ctx) }()
	return nil
}

// loaded waits for the end of that.
func (s *site) loaded(context.Context) error {
	return errors.Join(<-s.loading, os.Rename(s.file(), s.file()+".kept"))
}

func (s *site) close() error {
	var errs []error
	if s.direct != nil {
		errs = append(errs, s.direct.Close())
	}
	if s.proxy != nil {
		s.proxy.Close()
	}
	if s.server != nil {
		errs = append(errs, s.server.Stop())
	}
	return errors.Join(errs...)
}
