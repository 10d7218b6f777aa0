package server

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Target says which server to use.
type Target struct {
	kind    kind
	options *redis.Options // of an address, or of a cluster's first
	seeds   []string       // of a cluster
}

type kind uint8

const (
	embedded kind = iota
	spawned
	spawnedCluster
	remote
)

// ParseTarget reads "" (the embedded server), "spawn", "spawn-cluster", a
// redis:// or rediss:// URL, host:port, or several host:port of a cluster
// separated by commas.
func ParseTarget(text string) (Target, error) {
	switch {
	case text == "":
		return Target{kind: embedded}, nil
	case text == "spawn":
		return Target{kind: spawned}, nil
	case text == "spawn-cluster":
		return Target{kind: spawnedCluster}, nil
	case strings.Contains(text, "://"):
		options, err := redis.ParseURL(text)
		if err != nil {
			return Target{}, errors.New("not a redis:// or rediss:// URL: " + reason(err))
		}
		return Target{kind: remote, options: options}, nil
	}
	seeds := strings.Split(text, ",")
	for _, s := range seeds {
		host, port, err := net.SplitHostPort(s)
		if n, err1 := strconv.Atoi(port); err != nil || err1 != nil || n < 1 || n > 65535 || host == "" {
			return Target{}, fmt.Errorf("%q is neither spawn nor spawn-cluster, nor a URL, nor host:port", s)
		}
	}
	t := Target{kind: remote, options: &redis.Options{Addr: seeds[0]}}
	if len(seeds) > 1 {
		t.seeds = seeds
	}
	return t, nil
}

// reason returns what is wrong with a URL without the URL, which may hold a
// password.
func reason(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return strings.TrimPrefix(err.Error(), "redis: ")
}

// address names the target without its secrets.
func (t Target) address() string {
	if t.seeds != nil {
		return strings.Join(t.seeds, ",")
	}
	return t.options.Addr
}
