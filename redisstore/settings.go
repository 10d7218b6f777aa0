package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/larder-cache/larder/cache"
)

// leastPatience is the least time after which settings by which nobody lives are
// replaced. It is ten leases if that is longer: see agreement.
const leastPatience = 10 * time.Second

// settingsEvery is how long a process without a bus relies on what it knows of the
// settings. With a bus, each heartbeat of the first lane asks for them.
const settingsEvery = leastPatience / 4

// settings is what all processes that use a space must have in common, or they
// would not see each other's entries and messages.
func (s *Space) settings() string {
	return fmt.Sprintf("larder keys=1 value=%d message=%d lanes=%d late=1", magic[len(magic)-1], messageFormat, s.lanes)
}

// agreement is whether the settings of this process are those of the space. They are
// asked for at each new connection and with each heartbeat, and the last answer counts.
//
// A process whose settings are others is refused: it uses nothing of the space and
// writes nothing. It goes on to ask. When nobody has lived by the others for some time,
// ours replace them.
type agreement struct {
	// refused is why this process is refused; nil if it is not.
	refused atomic.Pointer[error]
	mu      sync.Mutex
	theirs  string // the settings that were found, "" if they were ours
	sign    string // which changes while somebody lives by them
	since   time.Time
	asked   turn
}

// ask returns the arguments of lua/agree.lua after the lifetime.
func (a *agreement) ask(ours string, patience time.Duration) []any {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.theirs == "" || time.Since(a.since) < patience {
		return []any{ours, "", ""}
	}
	return []any{ours, a.theirs, a.sign}
}

// take takes the answer of a script: nothing, or the settings of others and a sign. It
// returns why this process is refused, and whether it was not so before.
func (a *agreement) take(s *Space, answer []string) (refused error, changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.refused.Load()
	a.asked.last.Store(int64(time.Since(epoch)))
	if len(answer) < 2 {
		a.theirs, a.sign = "", ""
		a.refused.Store(nil)
		return nil, before != nil
	}
	if a.theirs != answer[0] {
		err := fmt.Errorf("larder: redisstore: the space %q is in use with other settings: there %q, here %q; use another name, or end the processes with those settings", s.ns, answer[0], s.settings())
		a.refused.Store(&err)
	}
	if a.theirs != answer[0] || a.sign != answer[1] {
		a.theirs, a.sign, a.since = answer[0], answer[1], time.Now()
	}
	return a.err(), before == nil
}

func (a *agreement) err() error {
	if err := a.refused.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *Space) patience() time.Duration { return max(10*s.lease, leastPatience) }

// agreed takes the answer about the settings. When they have become others, memory in
// front of the space is dropped.
func (s *Space) agreed(answer []string) error {
	err, changed := s.agreement.take(s, answer)
	if changed {
		s.dropAll()
	}
	if err == nil {
		s.solved(ProblemSettings, "settings")
	} else {
		s.problem(cache.Problem{
			Code: ProblemSettings, Subject: "settings", Err: err,
			Effect: "this process uses nothing of the space, and writes nothing to it",
			Remedy: fmt.Sprintf("use another name, or end the processes with other settings: %v after that the space is free", s.patience()),
		})
	}
	return err
}

// ready is usable for a command that is about to be sent. A process without a bus asks
// for the settings before it, if it has not for some time, which also notes that it lives
// by them. That is one more round trip, now and then.
func (s *Space) ready(ctx context.Context) error {
	if s.noBus && s.agreement.due() {
		s.askSettings(ctx) // what comes next finds an error, too
		if s.probed.due(keepEvery) {
			s.errands.run(s.connections.probe)
		}
	}
	return s.usable()
}

// due reports, to one caller, whether it is time to ask again.
func (a *agreement) due() bool { return a.asked.due(settingsEvery) }

// turn is when something was done last that is done now and then.
type turn struct{ last atomic.Int64 } // since epoch

// due reports, to one caller, that it is to be done again.
func (t *turn) due(every time.Duration) bool {
	last, now := t.last.Load(), int64(time.Since(epoch))
	return now-last > int64(every) && t.last.CompareAndSwap(last, now)
}

// askSettings asks for the settings of the space.
func (s *Space) askSettings(ctx context.Context) error {
	args := append([]any{s.tagLife.Load()}, s.agreement.ask(s.settings(), s.patience())...)
	sent := time.Now()
	c := settingsScript.call(ctx, []string{s.laneKey(0)}, append(args, s.times[0].last())...)
	if err := s.ask(ctx, s.rdb, s.pace.bound(), []*call{c}); err != nil {
		return err
	}
	return s.answered(c.strings(), sent)
}

// answered takes the answer of the script of settings, which was sent at a time.
func (s *Space) answered(answer []string, sent time.Time) error {
	if len(answer) == 1 {
		if now, err := parseTime(answer[0]); err == nil { // else it is asked for when it is needed
			s.times[0].heard(now, sent, time.Now())
		}
	}
	return s.agreed(answer)
}

// elsewhere reports whether an error says that a server of a cluster does not have the
// key. Then another server answers for it.
func elsewhere(err error) bool { return says(err, "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN") }

var errSettings = errors.New("larder: redisstore: the settings of the space cannot be read")
