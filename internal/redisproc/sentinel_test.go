package redisproc

import "testing"

func TestSentinelsReplaceAMasterThatDies(t *testing.T) {
	s, err := StartSentinel(t.Context(), SentinelOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	first, err := s.Master(t.Context())
	if err != nil || first != s.Servers()[0] {
		t.Fatalf("the master is %v, %v, not the first server", first, err)
	}
	if err := s.KillMaster(t.Context()); err != nil {
		t.Fatal(err)
	}
	if now, err := s.Master(t.Context()); err != nil || now == first {
		t.Errorf("the master is still %v, %v", now.Addr(), err)
	}
}
