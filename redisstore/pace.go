package redisstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
)

const (
	// ProblemTLS: no secure connection can be made to the server.
	ProblemTLS cache.ProblemCode = "tls"
	// ProblemFar: the servers are too far away for the options of the space.
	ProblemFar cache.ProblemCode = "far"
)

// pace is how long operations may take. Connections measure the round trip when they are
// made, and when nothing else is to be done, by a PING; what is slow because the server
// has much to do is not measured by commands, which have more to wait for.
type pace struct {
	timeout, slow time.Duration // of the options; 0: by the round trip
	trip          atomic.Int64
}

const (
	// timeoutTrips and slowTrips are by how many round trips the default of
	// Options.Timeout, and that of Options.Slow, are more than for a server that is near.
	timeoutTrips = 4
	slowTrips    = 2
	// timeoutMost is the most that the default of Options.Timeout becomes.
	timeoutMost = time.Second
)

// timeout returns what bounds an operation now.
func (p *pace) bound() time.Duration {
	if p.timeout > 0 {
		return p.timeout
	}
	return min(defaultTimeout+timeoutTrips*time.Duration(p.trip.Load()), timeoutMost)
}

// slowness returns from which time on an operation counts as failed for a breaker.
func (p *pace) slowness() time.Duration {
	if p.slow > 0 {
		return p.slow
	}
	least := p.timeout
	if least == 0 {
		least = defaultTimeout
	}
	return min(least/4+slowTrips*time.Duration(p.trip.Load()), p.bound())
}

// measured notes the round trip to the servers, and whether it is too long.
func (s *Space) measured() {
	trip := s.connections.trip()
	s.pace.trip.Store(int64(trip))
	s.far("Timeout", s.pace.bound(), 2*trip, "operations fail, as a script that the server does not have yet takes two round trips")
	if !s.noBus {
		s.far("Lease", s.lease/2, 2*trip, "memory is not served for most of the time, as a lease is over before it can be renewed")
	}
}

// far notes a problem if an option allows less than is needed.
func (s *Space) far(option string, allows, needs time.Duration, effect string) {
	if needs <= allows {
		s.solved(ProblemFar, "Options."+option)
		return
	}
	s.problem(cache.Problem{
		Code: ProblemFar, Subject: "Options." + option, Effect: effect,
		Remedy: fmt.Sprintf("a round trip takes %v: raise Options.%s, or use a server that is nearer", (needs / 2).Round(time.Millisecond/10), option),
	})
}

// refusedTLS notes a problem if err says that client and server do not agree on TLS.
func (s *Space) refusedTLS(addr string, err error) {
	var (
		certificate *tls.CertificateVerificationError
		unknown     x509.UnknownAuthorityError
		host        x509.HostnameError
		alert       tls.AlertError
		plain       tls.RecordHeaderError
	)
	remedy := ""
	switch {
	case errors.As(err, &host):
		remedy = "use the name that the certificate has, or set TLSConfig.ServerName of the client"
	case errors.As(err, &unknown), errors.As(err, &certificate):
		remedy = "set TLSConfig.RootCAs of the client to the authority that has signed the server's certificate, and see to its dates"
	case errors.As(err, &plain):
		remedy = "the server speaks no TLS at this port: use the other port, or no TLSConfig"
	case errors.As(err, &alert):
		remedy = "the server ends the handshake: set TLSConfig.Certificates of the client if it asks for a certificate"
	case errors.Is(err, errNotGreeted):
		remedy = "if the server speaks TLS, set TLSConfig of the client"
	default:
		return
	}
	s.problem(cache.Problem{
		Code: ProblemTLS, Subject: addr, Err: err, Remedy: remedy,
		Effect: "there is no connection: nothing is cached there, and invalidations fail",
	})
}
