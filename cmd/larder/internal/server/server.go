// Package server provides the Redis that a benchmark runs on: one inside the
// process, one that is started for the run, or one that is there already.
package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// patience is how long a server may take to answer for the first time.
const patience = 3 * time.Second

// Info describes a server.
type Info struct {
	Kind    string `json:"kind"` // embedded, spawned or remote
	Address string `json:"address,omitempty"`
	Version string `json:"version,omitempty"`
	Cluster bool   `json:"cluster"`
	Note    string `json:"note,omitempty"`
	// Facts are what the server says of itself in answer to INFO, as far as it matters to
	// results.
	Facts map[string]string `json:"info,omitempty"`
}

// facts are the lines of INFO that are kept.
var facts = []string{
	"redis_version", "redis_mode", "server_name", "valkey_version", "os", "arch_bits", "multiplexing_api", "hz", "io_threads_active",
	"maxmemory_human", "maxmemory_policy", "used_memory_human", "mem_fragmentation_ratio", "mem_allocator", "connected_clients",
	"aof_enabled", "rdb_last_save_time", "role", "connected_slaves", "cluster_enabled",
}

// Embedded reports whether the server is inside this process.
func (i Info) Embedded() bool { return i.Kind == "embedded" }

// String returns the description as one line.
func (i Info) String() string {
	if i.Note != "" {
		return i.Note
	}
	s := "Redis " + i.Version
	if i.Cluster {
		s += " Cluster"
	}
	if i.Kind == "spawned" {
		return s + ", started for this run"
	}
	return s + " at " + i.Address
}

// Server is a Redis in use.
type Server struct {
	Info   Info
	Client redis.UniversalClient
	stop   func() error
}

// Silence drops what go-redis would write to standard error: an error that
// matters is returned.
var Silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// Open connects to the target, after starting it if need be.
func (t Target) Open(ctx context.Context) (*Server, error) {
	Silence()
	switch t.kind {
	case embedded:
		return openEmbedded()
	case spawned, spawnedCluster:
		return openSpawned(ctx, t.kind == spawnedCluster)
	}
	return t.connect(ctx)
}

func openEmbedded() (*Server, error) {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("start the embedded server: %w", err)
	}
	client := redis.NewClient(&redis.Options{Addr: m.Addr()})
	return &Server{
		Info: Info{Kind: "embedded", Note: "embedded miniredis: not Redis performance"}, Client: client,
		stop: func() error { m.Close(); return nil },
	}, nil
}

// connect returns a client that has met the server. A node of a cluster leads
// to its cluster.
func (t Target) connect(ctx context.Context) (*Server, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o := *t.options
	o.ContextTimeoutEnabled, o.DialTimeout, o.DialerRetries = true, patience, 1
	first := redis.NewClient(&o)
	defer first.Close()
	info := Info{Kind: "remote", Address: t.address()}
	if err := first.Ping(ctx).Err(); err != nil {
		return nil, fmt.Errorf("Redis at %s cannot be used: %w", o.Addr, err)
	}
	answer := first.Info(ctx, "everything").Val() // not everybody may ask
	info.Version = Fact(answer, "redis_version")
	info.Cluster = t.seeds != nil || Fact(answer, "redis_mode") == "cluster"
	info.Facts = map[string]string{}
	for _, name := range facts {
		if value := Fact(answer, name); value != "" {
			info.Facts[name] = value
		}
	}
	s := &Server{Info: info}
	if !info.Cluster {
		s.Client = redis.NewClient(t.options)
		return s, nil
	}
	seeds := t.seeds
	if seeds == nil {
		seeds = []string{o.Addr}
	}
	s.Client = redis.NewClusterClient(&redis.ClusterOptions{
		Addrs: seeds, Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig, ContextTimeoutEnabled: true,
	})
	if err := s.Client.Ping(ctx).Err(); err != nil {
		s.Client.Close()
		return nil, fmt.Errorf("the cluster at %s cannot be used: %w", info.Address, err)
	}
	return s, nil
}

// Fact returns a value of the answer to INFO, "" if it is not there.
func Fact(facts, name string) string {
	_, rest, _ := strings.Cut(facts, "\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return strings.TrimSpace(value)
}

// Close ends the use of the server, and the server itself if it was started
// for the run.
func (s *Server) Close() error {
	err := s.Client.Close()
	if s.stop != nil {
		if err1 := s.stop(); err == nil {
			err = err1
		}
	}
	return err
}
