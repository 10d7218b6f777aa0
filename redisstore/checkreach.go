package redisstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// connection returns what an error says of a connection that could not be made or does
// not answer; nil if the server has answered, if only with the refusal of a command.
func (c *checker) connection(n node, err error) *cache.Problem {
	p := &cache.Problem{Code: ProblemConnection, Subject: "server", Err: err, Effect: nothingRead + "; every invalidation fails"}
	if n.addr != "" {
		p.Subject = n.addr
	}
	if isReply(err) {
		return c.refusedConnection(p, err)
	}
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		dns       *net.DNSError
		timeout   net.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &authority):
		p.Code, p.Remedy = ProblemTLS, "the certificate of the server is of an authority that is not known here: give the certificate of that authority, as TLSConfig.RootCAs"
	case errors.As(err, &name):
		p.Code, p.Remedy = ProblemTLS, "the certificate of the server is for other names: use one of them as the address, or as TLSConfig.ServerName"
	case errors.As(err, &invalid):
		p.Code, p.Remedy = ProblemTLS, "the certificate of the server is not valid: renew it, and look at the clock of this machine"
	case errors.As(err, &record):
		p.Code, p.Remedy = ProblemTLS, "the server does not speak TLS at this port: use redis:// without TLSConfig, or its port for TLS"
	case errors.As(err, &alert):
		p.Code, p.Remedy = ProblemTLS, "the server refuses the handshake: it may want a certificate of the client, as TLSConfig.Certificates"
	case errors.As(err, &dns):
		p.Remedy = "the name is not known here: see the address, and the DNS of this machine"
	case errors.Is(err, syscall.ECONNREFUSED):
		p.Remedy = "nothing listens at this address: start the server, or see the address and the port"
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrUnexpectedEOF):
		p.Remedy = "the server has closed the connection without an answer: it may speak TLS at this port (rediss://), or refuse this machine"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		p.Remedy = fmt.Sprintf("there is no answer in %v: see whether the server hangs, and whether a firewall drops packets", checkPatience)
		if secure(c.space.given) {
			p.Remedy += "; or it does not speak TLS at this port"
		}
	default:
		p.Remedy = "see the address and the network"
	}
	return p
}

// secure reports whether a client speaks TLS.
func secure(rdb redis.UniversalClient) bool {
	switch c := rdb.(type) {
	case *redis.Client:
		return c.Options().TLSConfig != nil
	case *redis.ClusterClient:
		return c.Options().TLSConfig != nil
	}
	return false
}

// refusedConnection is connection for a server that has answered.
func (c *checker) refusedConnection(p *cache.Problem, err error) *cache.Problem {
	text := strings.ToLower(err.Error())
	switch {
	case denialOf(err) == deniedAccess || strings.Contains(text, "failed to authenticate") || strings.Contains(text, "without any password configured"):
		p.Code, p.Subject, p.Remedy = ProblemAccess, "user", "see the name and the password of the user, and whether it is on"
	case says(err, "DENIED"):
		p.Code, p.Subject, p.Remedy = ProblemAccess, "protected mode", "set a password or bind the server to an address"
	case denied(err) && strings.Contains(text, "select"):
		p.Code, p.Subject, p.Remedy = codeOf(err), "SELECT", "grant +select, or use database 0"
	case strings.Contains(text, "db index is out of range") || strings.Contains(text, "select is not allowed"):
		p.Code, p.Subject, p.Remedy = ProblemAccess, "database", "the server does not have this database: use 0"
	case strings.Contains(text, "max number of clients"):
		p.Remedy = "the server has all the clients that it may: raise maxclients, or lower PoolSize"
	case says(err, "LOADING"):
		p.Remedy = "the server is reading its data: wait"
	case says(err, "CLUSTERDOWN", "MASTERDOWN", "BUSY"):
		p.Remedy = "see what the server says"
	default:
		return nil // it has refused the command, not the connection
	}
	return p
}

// info asks a server about itself. It returns nil if that cannot be asked.
func (c *checker) info(ctx context.Context, n node) map[string]string {
	var text string
	answer(ctx, func(ctx context.Context) (err error) { // whether it may be called is found by rights
		text, err = n.rdb.Info(ctx).Result()
		return err
	})
	if text == "" {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			out[k] = v
		}
	}
	return out
}

// identity looks at what the server is. It returns false if it is none that a space can
// use.
func (c *checker) identity(ctx context.Context, n node, info map[string]string) bool {
	hello := map[string]string{}
	answer(ctx, func(ctx context.Context) error { // not everybody may ask
		list, err := n.rdb.Do(ctx, "HELLO").Slice()
		for i := 0; i+1 < len(list); i += 2 {
			hello[fmt.Sprint(list[i])] = fmt.Sprint(list[i+1])
		}
		return err
	})
	first := func(values ...string) string {
		for _, v := range values {
			if v != "" {
				return v
			}
		}
		return ""
	}
	mode := first(hello["mode"], info["redis_mode"])
	role := first(hello["role"], info["role"])
	product := first(hello["server"], info["server_name"], "redis")
	version := first(info["valkey_version"], hello["version"], info["redis_version"])
	switch {
	case mode == "sentinel":
		c.report.problem(n.addr, "kind of server", cache.Problem{
			Code: ProblemConnection, Subject: "sentinel", Effect: "this is a sentinel, which keeps no data: " + nothingRead,
			Remedy: "use redis.NewFailoverClient with this address and the name of the primary",
		})
		return false
	case mode == "cluster" && c.space.lanes == 1:
		c.report.problem(n.addr, "kind of server", clusterBehindOne(nil))
		return false
	case mode == "":
		c.report.unknown(n.addr, "kind of server", "neither HELLO nor INFO may be called")
	default:
		c.report.ok(n.addr, "kind of server", mode)
	}
	c.version(n, product, version, info["redis_version"])
	switch role {
	case "slave", "replica":
		c.report.problem(n.addr, "role", isAReplica())
		return false
	case "":
		c.report.unknown(n.addr, "role", "neither HELLO nor INFO may be called")
	default:
		c.report.ok(n.addr, "role", "primary")
	}
	return true
}

// version notes the version of a server. compatible is that of Redis which another
// product is like.
func (c *checker) version(n node, product, version, compatible string) {
	if version == "" {
		c.report.unknown(n.addr, "version", "neither HELLO nor INFO may be called")
		return
	}
	least, why := 5, "scripts that ask for the time and then write"
	if c.space.lanes > 1 {
		least, why = 7, "sharded channels: SPUBLISH and SSUBSCRIBE"
	}
	if compatible == "" {
		compatible = version
	}
	major, _, _ := strings.Cut(compatible, ".")
	number, err := strconv.Atoi(major)
	switch {
	case err != nil:
		c.report.unknown(n.addr, "version", product+" "+version)
	case number < least:
		c.report.problem(n.addr, "version", cache.Problem{
			Code: ProblemVersion, Subject: product + " " + version,
			Effect: fmt.Sprintf("it lacks %s", why), Remedy: fmt.Sprintf("use Redis %d or later, or Valkey", least),
		})
	default:
		c.report.ok(n.addr, "version", product+" "+version)
	}
}
