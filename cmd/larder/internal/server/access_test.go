package server

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/larder-cache/larder/internal/netfault"
	"github.com/larder-cache/larder/internal/redistest"
)

func TestAnotherProcessReachesTheSameServer(t *testing.T) {
	for what, to := range map[string]string{
		"embedded": "", "single": redistest.Standalone(t).Addr(), "cluster": strings.Join(redistest.Cluster(t).Addrs(), ","),
	} {
		target, err := ParseTarget(to)
		if err != nil {
			t.Fatal(err)
		}
		s, err := target.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		a, err := s.Access(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var told Access
		if err := json.Unmarshal(text, &told); err != nil {
			t.Fatal(err)
		}
		via, proxies := map[string]string{}, []*netfault.Proxy(nil)
		for _, addr := range told.Addrs {
			p, err := netfault.Start(addr)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			via[addr], proxies = p.Addr(), append(proxies, p)
		}
		key := RunPrefix("access")
		if err := s.Client.Set(t.Context(), key, what, 0).Err(); err != nil {
			t.Fatal(err)
		}
		for name, by := range map[string]map[string]string{"directly": nil, "over a proxy": via} {
			c := told.Client(by)
			if got, err := c.Get(t.Context(), key).Result(); got != what || err != nil {
				t.Errorf("%s, %s: %q, %v", what, name, got, err)
			}
			c.Close()
		}
		for _, p := range proxies {
			p.Shut()
		}
		c := told.Client(via)
		if err := c.Get(t.Context(), key).Err(); err == nil {
			t.Errorf("%s: it does not go over the proxy", what)
		}
		c.Close()
		if _, err := s.Sweep(t.Context(), key); err != nil {
			t.Error(err)
		}
	}
}
