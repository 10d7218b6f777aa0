package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

const (
	// checkPatience is how long Check waits for one answer.
	checkPatience = 2 * time.Second
	// probeLife ends a probe key that could not be removed.
	probeLife = 10 * time.Second
)

// Check tries everything that the space needs of its servers, on connections of its own,
// and says of each need whether it is met, which promise does not hold if it is not, and
// what to grant or set. It changes nothing but a probe key of its own, which it removes;
// on the channels of the space it publishes a message that no process acts upon.
//
// It takes some fifty round trips to each server, and waits up to two seconds for an
// answer. The error is that of ctx, or of a closed space; that a server cannot be reached
// is a finding.
func (s *Space) Check(ctx context.Context) (CheckReport, error) {
	if s.closed.Load() {
		return CheckReport{}, errClosed
	}
	return s.check(ctx, everything)
}

// Check is Space.Check for a space that cannot be opened, or is not: as Open with this
// client and these options would have it. It returns an error if an option makes no
// sense, or ctx ends.
func Check(ctx context.Context, rdb redis.UniversalClient, name string, o *Options) (CheckReport, error) {
	if o == nil {
		o = &Options{}
	}
	if err := validName(name); err != nil {
		return CheckReport{}, fmt.Errorf("larder: redisstore.Check: name %q %w", name, err)
	}
	opts, err := o.defaults()
	if err != nil {
		return CheckReport{}, err
	}
	given, err := known(rdb)
	if err != nil {
		return CheckReport{}, fmt.Errorf("larder: redisstore.Check: %w", err)
	}
	s := &Space{ns: name, given: given, lease: opts.Lease, replicas: opts.Replicas}
	s.pace.timeout, s.pace.slow = opts.Timeout, opts.Slow
	s.layout(given)
	return s.check(ctx, everything)
}

// extent is how much is checked.
type extent bool

const (
	rightsOnly extent = false // what the user may do, and with whom the client speaks
	everything extent = true
)

// checker is one Check.
type checker struct {
	space  *Space
	extent extent
	report *CheckReport
}

// node is a server that is checked.
type node struct {
	addr string // "" if there is one
	rdb  *redis.Client
}

func (s *Space) check(ctx context.Context, e extent) (CheckReport, error) {
	report := CheckReport{Space: s.ns, Lanes: s.lanes, At: time.Now(), Rights: s.rights()}
	c := &checker{s, e, &report}
	rdb := plainClient(s.given)
	defer rdb.Close()
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		c.cluster(ctx, cluster)
	} else if one, ok := rdb.(*redis.Client); ok {
		c.server(ctx, node{"", one}, probeOf(s, 0))
	}
	c.settings(ctx, rdb)
	report.Took = time.Since(report.At)
	if err := ctx.Err(); err != nil {
		return report, fmt.Errorf("larder: redisstore: the check was not finished: %w", err)
	}
	return report, nil
}

// server checks one server. The probe is in a slot that it has.
func (c *checker) server(ctx context.Context, n node, p probe) {
	if !c.reach(ctx, n) {
		return
	}
	info := c.info(ctx, n)
	if !c.identity(ctx, n, info) {
		return // nothing that follows would mean anything
	}
	c.rights(ctx, n, p)
	c.channel(ctx, n, p)
	if c.extent == rightsOnly {
		return
	}
	c.latency(ctx, n, p)
	c.clock(ctx, n)
	c.memory(ctx, n, info)
	c.replication(n, info)
	c.persistence(ctx, n, info)
}

// reach connects, and says what keeps it from that. A connection that has been made
// tells about the network, TLS, the user and the database; a server that answers with any
// error is one that was reached.
func (c *checker) reach(ctx context.Context, n node) bool {
	began := time.Now()
	err := answer(ctx, func(ctx context.Context) error { return n.rdb.Do(ctx, "PING").Err() })
	took := time.Since(began)
	if p := c.connection(n, err); p != nil {
		c.report.problem(n.addr, "connection", *p)
		return false
	}
	c.report.ok(n.addr, "connection", took.Round(10*time.Microsecond).String())
	return true
}

// answer calls f with the time that one answer may take.
func answer(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkPatience)
	defer cancel()
	return f(ctx)
}

// plainClient returns a client to where rdb leads that fails soon and does nothing by
// itself, unlike those of a space.
func plainClient(rdb redis.UniversalClient) redis.UniversalClient {
	switch c := rdb.(type) {
	case *redis.ClusterClient:
		o := *c.Options()
		o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries, o.Protocol = true, -1, 1, 2
		o.ReadTimeout, o.WriteTimeout, o.PoolTimeout, o.DialTimeout = checkPatience, checkPatience, checkPatience, checkPatience
		o.MinRetryBackoff, o.MaxRetryBackoff = time.Millisecond, 8*time.Millisecond
		o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, noNotifications()
		newNode := o.NewClient
		if newNode == nil {
			newNode = redis.NewClient
		}
		o.NewClient = func(node *redis.Options) *redis.Client {
			node.Dialer = patientDialer(*node)
			return newNode(node)
		}
		return redis.NewClusterClient(&o)
	case *redis.Client:
		o := *c.Options()
		o.ContextTimeoutEnabled, o.MaxRetries, o.DialerRetries, o.Protocol = true, -1, 1, 2
		o.ReadTimeout, o.WriteTimeout, o.PoolTimeout, o.DialTimeout = checkPatience, checkPatience, checkPatience, checkPatience
		o.PushNotificationProcessor, o.MaintNotificationsConfig = nil, noNotifications()
		o.ClientSideCache, o.ClientSideCacheConfig = nil, nil
		o.Dialer = patientDialer(o)
		return redis.NewClient(&o)
	}
	return rdb
}

// patientDialer returns the dialer of options, which ends after checkPatience, also if
// the user's does not.
func patientDialer(o redis.Options) dialer {
	dial := dialerOf(&o)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, checkPatience)
		defer cancel()
		return dialAside(ctx, at(dial, network, addr))
	}
}

// cluster checks the layout of a cluster and then each master.
func (c *checker) cluster(ctx context.Context, cluster *redis.ClusterClient) {
	var slots []redis.ClusterSlot
	err := answer(ctx, func(ctx context.Context) (err error) {
		cmd := redis.NewClusterSlotsCmd(ctx, "cluster", "slots")
		cmd.SetStepCount(1) // as in newCmd
		cluster.Process(ctx, cmd)
		slots, err = cmd.Result()
		return err
	})
	if err != nil {
		c.noLayout(err)
		return
	}
	covered := 0
	for _, s := range slots {
		covered += s.End - s.Start + 1
	}
	if covered < 16384 {
		c.report.problem("", "cluster layout", cache.Problem{
			Code: ProblemClusterMode, Subject: "slots",
			Effect: fmt.Sprintf("%d of 16384 slots have no master: keys there are not cached, and if a lane is among them, what is invalidated in it cannot be announced", 16384-covered),
			Remedy: "bring the missing master or its replica back: redis-cli --cluster check and fix",
		})
	} else {
		c.report.ok("", "cluster layout", fmt.Sprintf("%d slots", covered))
	}
	var mu sync.Mutex
	var masters []node
	err = cluster.ForEachMaster(ctx, func(_ context.Context, m *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		masters = append(masters, node{m.Options().Addr, m})
		return nil
	})
	if err != nil {
		c.noLayout(err)
		return
	}
	slices.SortFunc(masters, func(a, b node) int { return cmp.Compare(a.addr, b.addr) })
	for _, m := range masters {
		if p, ok := c.probeOn(ctx, cluster, m); ok {
			c.server(ctx, m, p)
		} else {
			c.report.unknown(m.addr, "rights", "no key could be found that this master has")
			c.reach(ctx, m)
		}
	}
}

// probeOn returns a probe in a slot that a master has.
func (c *checker) probeOn(ctx context.Context, cluster *redis.ClusterClient, m node) (probe, bool) {
	for n := range 4096 {
		master, err := cluster.MasterForKey(ctx, c.space.laneKey(n))
		if err == nil && master.Options().Addr == m.addr {
			return probeOf(c.space, n), true
		}
	}
	return probe{}, false
}

// noLayout notes that a cluster does not say how it is laid out.
func (c *checker) noLayout(err error) {
	var reply redis.Error
	if p := c.connection(node{}, err); p != nil {
		c.report.problem("", "connection", *p)
		return
	}
	if errors.As(err, &reply) && strings.Contains(reply.Error(), "cluster support disabled") {
		c.report.problem("", "cluster layout", notACluster(err))
		return
	}
	if denied(err) {
		c.report.problem("", "command CLUSTER SLOTS", cache.Problem{
			Code: codeOf(err), Subject: "CLUSTER SLOTS", Err: err,
			Effect: "no server of the cluster is found: " + nothingRead,
			Remedy: remedyOf(err, "cluster|slots"),
		})
		return
	}
	c.report.problem("", "cluster layout", cache.Problem{
		Code: ProblemConnection, Subject: "cluster", Err: err,
		Effect: nothingRead, Remedy: "see whether the cluster is up: redis-cli --cluster check",
	})
}
