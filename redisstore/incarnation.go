package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// incarnation is what a new connection learns of the server process at its other end.
type incarnation struct {
	// run names the process. It is another after a restart and on another server.
	run string
	// log names the history of the data, and before the one that it goes on from.
	log, before string
	replica     bool
}

// incarnations knows which server process answered last at each address.
type incarnations struct {
	mu     sync.Mutex
	at     map[string]string    // run by address
	logs   map[string]bool      // that were met
	last   map[string]string    // log by address
	gone   map[string]time.Time // when a run was replaced
	marked sync.Mutex           // held while a server is asked for the mark
}

// late is for how long after a switch a connection may turn up that was begun before it.
const late = 2 * time.Second

var (
	errSwitch = fmt.Errorf("%w: the address leads to another server than before", errUnavailable)
	errOld    = fmt.Errorf("%w: the connection leads to a server that was replaced", errUnavailable)
)

// identify asks a server who it is. INFO says it best. A user who may not call that is
// told by a script that this process has loaded into the server, and which a server that
// was restarted does not have: scripts are neither saved nor, since Redis 7, replicated.
func (s *Space) identify(ctx context.Context, cn *redis.Conn, addr string) (incarnation, error) {
	p := cn.Pipeline()
	server, replication := p.Info(ctx, "server"), p.Info(ctx, "replication")
	p.Exec(ctx) // each has its own error
	text, err := server.Result()
	if err == nil {
		var more string
		if more, err = replication.Result(); err == nil {
			text += "\n" + more
		}
	}
	var reply redis.Error
	switch {
	case err == nil:
		if id := parseInfo(text); id.run != "" && id.log != "" {
			s.solved(ProblemRollback, "INFO")
			return id, nil
		}
		err = errors.New("INFO does not name the server")
	case !errors.As(err, &reply):
		return incarnation{}, err // the connection is broken
	case says(err, "LOADING", "BUSY", "MASTERDOWN"):
		return incarnation{}, err
	}
	id, err1 := s.identifyByScript(ctx, cn, addr)
	if err1 != nil {
		if !errors.As(err1, &reply) {
			return incarnation{}, err1
		}
		s.problem(blind(errors.Join(err, err1)))
		return incarnation{}, nil
	}
	s.solved(ProblemRollback, "INFO")
	return id, nil
}

func parseInfo(text string) incarnation {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[k] = v
		}
	}
	return incarnation{
		run: fields["run_id"], log: fields["master_replid"], before: fields["master_replid2"],
		replica: fields["role"] == "slave" || fields["role"] == "replica",
	}
}

// identifyByScript asks whether a server has the script that this process leaves on each,
// and leaves it. A server without it is another one.
func (s *Space) identifyByScript(ctx context.Context, cn *redis.Conn, addr string) (incarnation, error) {
	s.incarnations.marked.Lock() // or two first connections would both find it missing
	defer s.incarnations.marked.Unlock()
	script := newScript("return '" + s.ns + " " + s.id + "'")
	p := cn.Pipeline()
	has, load := p.ScriptExists(ctx, script.sha), p.ScriptLoad(ctx, script.src)
	p.Exec(ctx) // each has its own error
	there, err := has.Result()
	if err == nil {
		err = load.Err()
	}
	if err != nil {
		return incarnation{}, err
	}
	s.incarnations.mu.Lock()
	defer s.incarnations.mu.Unlock()
	run := s.incarnations.at[addr]
	if len(there) != 1 || !there[0] || run == "" {
		run = fmt.Sprintf("mark %x", random(8))
	}
	return incarnation{run: run, log: run}, nil
}

// meet looks at who has answered at an address, which is "" if a single primary is meant,
// wherever it is. The connection may be used if it returns nil.
//
// A server that is another than before may lack the last invalidations, which are made
// again. Connections to the one before are closed, as it may go on to answer on them:
// behind an address that has moved, new connections lead to the new primary and old ones
// to the old. What was read from it leaves memory.
func (s *Space) meet(addr string, id incarnation) error {
	if id.replica && s.lanes == 1 {
		return s.isReplica()
	}
	if id.run == "" || id.replica {
		return nil
	}
	m := &s.incarnations
	m.mu.Lock()
	if m.at == nil {
		m.at, m.last, m.logs, m.gone = map[string]string{}, map[string]string{}, map[string]bool{}, map[string]time.Time{}
	}
	before := m.at[addr]
	switched := before != "" && before != id.run
	if gone, ok := m.gone[id.run]; ok && switched {
		if time.Since(gone) < late {
			m.mu.Unlock()
			return errOld
		}
		delete(m.gone, id.run)
	}
	if switched {
		m.gone[before] = time.Now()
	}
	lost := !m.logs[id.log] && (m.last[addr] != "" || m.logs[id.before])
	m.at[addr], m.last[addr], m.logs[id.log] = id.run, id.log, true
	m.mu.Unlock()
	if lost || switched {
		s.regressed()
	}
	if !switched {
		return nil
	}
	s.switches.Add(1)
	s.cutOff(addr)
	return errSwitch // this connection was closed with the others
}

// blind is the problem that nothing tells servers apart.
func blind(err error) cache.Problem {
	return cache.Problem{
		Code: ProblemRollback, Subject: "INFO", Err: err,
		Effect: "a server that was restarted or replaced is not noticed: what it lacks of the last invalidations is not repeated",
		Remedy: "grant +info, or at least +script|exists and +script|load",
	}
}

// isReplica notes that a server is a replica.
func (s *Space) isReplica() error {
	p := isAReplica()
	s.problem(p)
	return fmt.Errorf("%w: %w", errUnavailable, &p)
}

func isAReplica() cache.Problem {
	return cache.Problem{
		Code: ProblemReplica, Subject: "role", Effect: "a replica lags behind invalidations, so nothing is read from it or written to it",
		Remedy: "use the address of the primary, and a client without ReplicaOnly, ReadOnly or routing to replicas",
	}
}

// cutOff closes the connections to a server that another has replaced, or that is no
// primary any more. What is under way there fails, and what it gave leaves memory.
func (s *Space) cutOff(addr string) {
	s.connections.closeAll(addr)
	s.dropAll()
}

// dropAll makes a miss of everything in memory.
func (s *Space) dropAll() {
	for lane := range s.lanes {
		s.control.Drop(lane)
	}
}

// regressed has lost invalidations done again. What is concerned is held from now
// on, before the connection is used.
func (s *Space) regressed() {
	keys, tags, over := s.recent.all()
	if s.regress == Flush || over {
		s.control.RetryAll()
		return
	}
	s.control.RetryKeys(keys...)
	s.control.RetryTags(tags...)
}
