package redisstore

import "time"

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
