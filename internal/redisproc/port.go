package redisproc

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports lie below those that systems give to outgoing connections, and so
// do the bus ports, which a cluster node opens busOffset above its own.
const (
	firstPort = 11_000
	lastPort  = 20_999
	busOffset = 10_000
)

var errPortTaken = errors.New("the port is taken")

// freePort returns a port that was free a moment ago, and whose bus port was
// free too if it is for a node of a cluster. Somebody may take it before the
// server does.
func freePort(cluster bool) (int, error) {
	for range 200 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if free(port) && (!cluster || free(port+busOffset)) {
			return port, nil
		}
	}
	return 0, errors.New("no free port on the loopback address")
}

func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
