package redisstore

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
)

// The codes of problems.
const (
	// ProblemPermission: the server refuses a command, a key or a channel to the user.
	ProblemPermission cache.ProblemCode = "permission"
	// ProblemCommand: the server does not have a command. It was renamed, the service
	// does not offer it, or the server is too old.
	ProblemCommand cache.ProblemCode = "command"
	// ProblemAccess: the server does not let the user in.
	ProblemAccess cache.ProblemCode = "access"
	// ProblemClusterMode: the client is one for clusters and the server is in none, or
	// the other way round.
	ProblemClusterMode cache.ProblemCode = "cluster-mode"
	// ProblemConnection: no connection can be made, or it does not answer.
	ProblemConnection cache.ProblemCode = "connection"
	// ProblemVersion: the server is too old.
	ProblemVersion cache.ProblemCode = "version"
	// ProblemWrites: the server answers, but refuses to write.
	ProblemWrites cache.ProblemCode = "writes"
	// ProblemEviction: the server throws out what the space needs most, or nothing at all.
	ProblemEviction cache.ProblemCode = "eviction"
	// ProblemReplication: there are not the replicas that the options ask for, or those
	// that there are may be promoted without the last invalidations.
	ProblemReplication cache.ProblemCode = "replication"
	// ProblemPersistence: the server would come back with old data.
	ProblemPersistence cache.ProblemCode = "persistence"
	// ProblemClock: the clock of the server and that of this machine differ.
	ProblemClock cache.ProblemCode = "clock"
	// ProblemReplica: the server is a replica, which lags behind invalidations.
	ProblemReplica cache.ProblemCode = "replica"
	// ProblemRollback: a return of the server to an earlier state would not be noticed.
	ProblemRollback cache.ProblemCode = "rollback"
	// ProblemSettings: other processes use the space with other settings.
	ProblemSettings cache.ProblemCode = "settings"
)

// Problems returns what keeps the space from a promise at present, or costs it more than
// it should, as far as it has been met: the longest known first. Check finds more. An
// Observer is told when a problem begins and ends, by ProblemFound and ProblemSolved.
func (s *Space) Problems() []cache.Problem { return s.problems.list() }

// problems is what a space has met.
type problems struct {
	n  atomic.Int32 // how many there are
	mu sync.Mutex
	by map[problemID]*cache.Problem
}

type problemID struct {
	code    cache.ProblemCode
	subject string
}

// problem notes a problem that was met, and tells of it if it is new.
func (s *Space) problem(p cache.Problem) {
	if p.Since.IsZero() {
		p.Since = time.Now()
	}
	if s.problems.add(&p) {
		s.observe(cache.Event{Kind: cache.ProblemFound, N: 1, Err: &p})
	}
}

// solved notes that there is no problem of a code and subject, and tells so if there was.
// If subject is "", it is about all of the code. It costs an atomic load if there is no
// problem at all.
func (s *Space) solved(code cache.ProblemCode, subject string) {
	if s.problems.n.Load() == 0 {
		return
	}
	for _, p := range s.problems.remove(code, subject) {
		s.observe(cache.Event{Kind: cache.ProblemSolved, N: 1, Took: time.Since(p.Since), Err: p})
	}
}

// add reports whether the problem is new.
func (all *problems) add(p *cache.Problem) bool {
	all.mu.Lock()
	defer all.mu.Unlock()
	id := problemID{p.Code, p.Subject}
	if _, known := all.by[id]; known {
		return false
	}
	if all.by == nil {
		all.by = map[problemID]*cache.Problem{}
	}
	all.by[id] = p
	all.n.Store(int32(len(all.by)))
	return true
}

func (all *problems) remove(code cache.ProblemCode, subject string) (removed []*cache.Problem) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for id, p := range all.by {
		if id.code == code && (subject == "" || id.subject == subject) {
			removed = append(removed, p)
			delete(all.by, id)
		}
	}
	all.n.Store(int32(len(all.by)))
	return removed
}

func (all *problems) list() []cache.Problem {
	if all.n.Load() == 0 {
		return nil
	}
	all.mu.Lock()
	out := make([]cache.Problem, 0, len(all.by))
	for _, p := range all.by {
		out = append(out, *p)
	}
	all.mu.Unlock()
	slices.SortFunc(out, func(a, b cache.Problem) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return strings.Compare(string(a.Code)+a.Subject, string(b.Code)+b.Subject)
	})
	return out
}
