package redisproc

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

func newAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthority_ServerSpeaksTLSAndNothingElse(t *testing.T) {
	s := start(t, Options{Authority: newAuthority(t)})
	ping := func(config *tls.Config) error {
		rdb := redis.NewClient(&redis.Options{Addr: s.Addr(), TLSConfig: config, MaxRetries: -1, DialerRetries: 1})
		defer rdb.Close()
		return rdb.Ping(t.Context()).Err()
	}
	if err := ping(s.ClientTLS()); err != nil {
		t.Errorf("who trusts the authority: %v", err)
	}
	var unknown x509.UnknownAuthorityError
	if err := ping(newAuthority(t).ClientTLS()); !errors.As(err, &unknown) {
		t.Errorf("who trusts another: %v", err)
	}
	if err := ping(nil); err == nil {
		t.Error("it speaks without TLS")
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := ping(s.ClientTLS()); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if config := start(t, Options{}).ClientTLS(); config != nil {
		t.Error("a server without an authority has TLS")
	}
}

func TestAuthority_ClusterAndMovedSlots(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	c := startCluster(t, ClusterOptions{Authority: a})
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: c.Addrs()[:1], TLSConfig: a.ClientTLS()})
	defer rdb.Close()
	for i := range 100 {
		if err := rdb.Set(t.Context(), "k"+itoa(i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.MoveSlot(t.Context(), "k1"); err != nil {
		t.Fatal(err)
	}
	if v, err := rdb.Get(t.Context(), "k1").Result(); v != "1" || err != nil {
		t.Errorf("after its slot was moved: %q, %v", v, err)
	}
}

func TestAuthority_SentinelsReplaceAMasterThatDies(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	s, err := StartSentinel(t.Context(), SentinelOptions{Authority: a})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	if err := s.KillMaster(t.Context()); err != nil {
		t.Fatal(err)
	}
	rdb := redis.NewFailoverClient(&redis.FailoverOptions{MasterName: s.MasterName(), SentinelAddrs: s.Addrs(), TLSConfig: a.ClientTLS()})
	defer rdb.Close()
	if role, err := rdb.Do(t.Context(), "role").Slice(); err != nil || role[0] != "master" {
		t.Errorf("behind the sentinels is %v, %v", role, err)
	}
	if info, err := rdb.Info(t.Context(), "replication").Result(); err != nil || !strings.Contains(info, "state=online") {
		t.Errorf("no replica follows: %v\n%s", err, info)
	}
}
