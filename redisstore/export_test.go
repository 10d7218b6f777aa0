package redisstore

import (
	"fmt"
	"time"
)

// UnderRace is underRace for tests from outside.
const UnderRace = underRace

// Idle makes all connections of the space look as if they had not been used for d more.
func (s *Space) Idle(d time.Duration) {
	for _, l := range s.connections.all() {
		l.mu.Lock()
		for w := range l.wires {
			w.used.Add(-int64(d))
		}
		l.mu.Unlock()
	}
}

// Tend has all connections looked after now.
func (s *Space) Tend() {
	for _, l := range s.connections.all() {
		l.tend()
	}
}

// Connected returns an error unless the space has at least n connections to some server,
// and makes no more.
func (s *Space) Connected(n int) error {
	most := 0
	for _, l := range s.connections.all() {
		l.mu.Lock()
		most = max(most, len(l.wires))
		making := len(l.makers)
		l.mu.Unlock()
		if making > 0 {
			return fmt.Errorf("%d connections to %s are being made", making, l.addr)
		}
	}
	if most < n {
		return fmt.Errorf("there are %d connections to one server at most", most)
	}
	return nil
}
