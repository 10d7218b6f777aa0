package redisstore

import (
	"slices"
	"sync"
	"time"
)

// connections are the links of a space.
type connections struct {
	mu    sync.Mutex
	links []*link
}

func (c *connections) add(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links = append(c.links, l)
}

func (c *connections) remove(l *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links = slices.DeleteFunc(c.links, func(other *link) bool { return other == l })
}

func (c *connections) all() []*link {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.links)
}

// closeAll closes all connections of a name and returns how many there were. A command
// that is under way on one of them fails. Those that are being made are not used.
func (c *connections) closeAll(name string) (n int) {
	for _, l := range c.all() {
		if l.name == name {
			n += l.closeAll()
		}
	}
	return n
}

// probe makes one connection to each server and drops it: see link.probe.
func (c *connections) probe() {
	for _, l := range c.all() {
		l.probe()
	}
}

// close ends all links.
func (c *connections) close() {
	for _, l := range c.all() {
		l.close()
	}
}

// trip returns the longest of the round trips to the servers; 0 if none is known.
func (c *connections) trip() (longest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.links {
		longest = max(longest, time.Duration(l.trip.Load()))
	}
	return longest
}
