//go:build unix

package redisstore_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redisproc"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

// letGo fails the test unless everything returns soon with an error. Soon is two seconds,
// as Mutate takes several trips; go-redis takes five at least, for each. What the machine
// holds up once is asked again: who waits for a server does so each time.
func letGo(t *testing.T, p process) {
	t.Helper()
	// Of another key than that of serves: a quarantine that arrives when nobody waits for it
	// any more holds its key until it ends.
	const key = 2
	for name, op := range map[string]func() error{
		"Get":            func() error { _, err := p.l2.Get(t.Context(), key); return err },
		"Reserve":        func() error { _, err := p.l2.Reserve(t.Context(), cache.Slot[int]{Key: key}); return err },
		"Invalidate":     func() error { return p.l2.Invalidate(t.Context(), key) },
		"InvalidateTags": func() error { return p.space.InvalidateTags(t.Context(), "tag") },
		"Mutate": func() error {
			return p.space.Mutate(t.Context(), []invalidation.Target{invalidation.Keys(p.l2, key)}, func(context.Context) error { return nil })
		},
	} {
		const soon = 2 * time.Second
		least := time.Hour
		for n := 0; n < 5 && least > soon; n++ {
			began := time.Now()
			err := op()
			least = min(least, time.Since(began))
			if !errors.Is(err, cache.ErrUnavailable) {
				t.Errorf("%s: it is %v", name, err)
			}
		}
		if least > soon {
			t.Errorf("%s takes %v, each time", name, least)
		}
	}
}

func openAt(t *testing.T, rdb redis.UniversalClient) process {
	t.Helper()
	space, err := redisstore.Open(t.Context(), rdb, spaceName(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { space.Close(context.Background()) })
	return processIn(space)
}

func TestHang_ServersThatStopAnswering(t *testing.T) {
	atSites(t, func(t *testing.T, s *site) {
		warm := openAt(t, s.client(t))
		serves(t, warm)
		cold := openAt(t, s.client(t))
		if err := s.pause(); err != nil {
			t.Fatal(err)
		}
		t.Run("with connections", func(t *testing.T) { letGo(t, warm) })
		t.Run("without", func(t *testing.T) { letGo(t, cold) })
		if err := s.resume(); err != nil {
			t.Fatal(err)
		}
		serves(t, warm)
		serves(t, cold)
	})
}

func TestHang_NetworksThatSwallowEverything(t *testing.T) {
	atSites(t, func(t *testing.T, s *site) {
		warm := openAt(t, s.client(t))
		serves(t, warm)
		for _, p := range s.proxies {
			p.Blackhole()
		}
		t.Run("with connections", func(t *testing.T) { letGo(t, warm) })
		t.Run("without", func(t *testing.T) { letGo(t, openAt(t, s.client(t))) })
		s.set(netfault.Fault{})
		serves(t, warm)
	})
}

// behindOwnDialer are the clients whose Dialer is that of go-redis, which does not heed its
// context when it speaks TLS, and which cannot be replaced behind Sentinel.
func TestHang_TheDialersOfUsers(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // it accepts, and answers no handshake
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	addr, config := l.Addr().String(), redistest.Authority(t).ClientTLS()
	for name, rdb := range map[string]redis.UniversalClient{
		"single":   redis.NewClient(&redis.Options{Addr: addr, TLSConfig: config}),
		"cluster":  redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, TLSConfig: config}),
		"sentinel": redis.NewFailoverClient(&redis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{addr}, TLSConfig: config, DialTimeout: 2 * time.Second}),
		"one that does not heed its context": redis.NewClient(&redis.Options{Addr: addr, Dialer: func(_ context.Context, network, addr string) (net.Conn, error) {
			return tls.DialWithDialer(&net.Dialer{Timeout: 2 * time.Second}, network, addr, config)
		}}),
	} {
		t.Run(name, func(t *testing.T) {
			defer rdb.Close()
			letGo(t, openAt(t, rdb))
		})
	}
}

// The sentinels answer, and the master does not.
func TestHang_TheMasterBehindSentinelWithTLS(t *testing.T) {
	s := redistest.SentinelTLS(t)
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName: s.MasterName(), SentinelAddrs: s.Addrs(), TLSConfig: redistest.Authority(t).ClientTLS(), DialTimeout: 2 * time.Second,
	})
	defer rdb.Close()
	warm := openAt(t, rdb)
	serves(t, warm)
	cold := openAt(t, rdb)
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	letGo(t, warm)
	letGo(t, cold)
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	serves(t, warm)
	serves(t, cold)
}

func TestTLS_WhatIsWrongIsSaid(t *testing.T) {
	server := redistest.PrivateTLS(t)
	other, err := redisproc.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options redis.Options
		is      func(error) bool
	}{
		"another authority": {redis.Options{Addr: server.Addr(), TLSConfig: other.ClientTLS()}, func(err error) bool {
			var unknown x509.UnknownAuthorityError
			return errors.As(err, &unknown)
		}},
		"another name": {redis.Options{Addr: server.Addr(), TLSConfig: &tls.Config{RootCAs: server.ClientTLS().RootCAs, ServerName: "shop.example"}}, func(err error) bool {
			var host x509.HostnameError
			return errors.As(err, &host)
		}},
		"no TLS at the client": {redis.Options{Addr: server.Addr()}, func(err error) bool { return err != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			rdb := redis.NewClient(&c.options)
			defer rdb.Close()
			p := openAt(t, rdb)
			if err := p.l2.Invalidate(t.Context(), 1); !errors.Is(err, cache.ErrUnavailable) || !c.is(err) {
				t.Errorf("Invalidate: %v", err)
			}
			comesToWork(t, "the problem", func() error {
				for _, problem := range p.space.Status().Problems {
					if problem.Code == redisstore.ProblemTLS && problem.Subject == c.options.Addr && c.is(problem.Err) {
						t.Log(&problem)
						return nil
					}
				}
				return errors.New("there is none")
			})
		})
	}
}
