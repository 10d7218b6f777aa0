package netfault

import (
	"testing"
	"time"
)

func TestHold_ARequestReachesTheTargetWhenItIsLet(t *testing.T) {
	for what, cut := range map[string]bool{"the client waits": false, "the client is cut off": true} {
		t.Run(what, func(t *testing.T) {
			target, lines := recorder(t)
			p, err := Start(target)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(p.Close)
			until := make(chan struct{})
			p.Set(Fault{Hold: []string{"commit"}, HoldCuts: cut, Until: until})
			conn := dial(t, p)
			if got, err := say(conn, "*begin", time.Minute); got != "ok\n" || err != nil {
				t.Fatalf("another request: %q, %v", got, err)
			}
			<-lines
			answer := make(chan error, 1)
			go func() {
				_, err := say(conn, "*COMMIT", time.Minute)
				answer <- err
			}()
			for p.Counts().Held == 0 {
				time.Sleep(time.Millisecond)
			}
			if cut {
				if err := <-answer; err == nil {
					t.Error("the client has an answer")
				}
			}
			select {
			case line := <-lines:
				t.Errorf("the target has got %q", line)
			default:
			}
			close(until)
			if line := <-lines; line != "*COMMIT\n" {
				t.Errorf("the target has got %q", line)
			}
			if !cut {
				if err := <-answer; err != nil {
					t.Errorf("the client has %v", err)
				}
			}
		})
	}
}
