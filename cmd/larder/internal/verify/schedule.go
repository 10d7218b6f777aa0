package verify

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// lane is where a fault is. Faults of one lane follow each other; those of
// different lanes overlap.
type lane int

const (
	network lane = iota
	servers
	processes
	lanes
)

// fault is something that goes wrong for a while.
type fault struct {
	name string
	lane lane
	// own faults are only for servers that were started for the round.
	own bool
	on  []topology // nil is all
	// breach says that the server comes back with older data. Freshness is not
	// promised until each process has noticed.
	breach      bool
	least, most time.Duration
	do          func(ctx context.Context, f *field, s step) error
}

// step is a fault at its time.
type step struct {
	At, For time.Duration
	Fault   string
	Victim  int    // a process or a server, -1 is all
	Seed    uint64 // of what the fault chooses itself

	fault *fault
}

func (s step) String() string {
	who := "all"
	if s.Victim >= 0 {
		who = fmt.Sprint(s.Victim)
	}
	return fmt.Sprintf("%5.1f s  %-32s %4d ms  on %s", s.At.Seconds(), s.Fault, s.For.Milliseconds(), who)
}

func (f *fault) fits(s *site, breach bool) bool {
	return (s.own || !f.own) && (f.on == nil || slices.Contains(f.on, s.topology)) && (breach || !f.breach)
}

// plan declares the faults of a round: the same seed gives the same. Of each
// lane every fault comes once before one comes again. With breach there are some
// of those too.
func plan(seed uint64, s *site, of int, d time.Duration, breach bool) (all [lanes][]step) {
	for l := range lanes {
		r := rand.New(rand.NewPCG(seed, uint64(l)))
		var deck []*fault
		for at := l.pause(r); at < d; {
			if len(deck) == 0 {
				for i := range faults {
					if f := &faults[i]; f.lane == l && f.fits(s, breach) {
						deck = append(deck, f)
					}
				}
				if len(deck) == 0 {
					break
				}
				r.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
			}
			f := deck[0]
			deck = deck[1:]
			st := step{At: at, Fault: f.name, For: between(r, f.least, f.most), Victim: r.IntN(of), Seed: r.Uint64(), fault: f}
			if l == network && r.IntN(4) == 0 {
				st.Victim = -1
			}
			all[l] = append(all[l], st)
			at += st.For + l.pause(r)
		}
	}
	return all
}

// pauses are between two faults of a lane. Processes are killed less often: the
// quarantines of their writes hold rows for a minute.
var pauses = [lanes]struct{ least, most time.Duration }{
	network:   {200 * ms, 800 * ms},
	servers:   {300 * ms, 1200 * ms},
	processes: {1 * sec, 4 * sec},
}

func (l lane) pause(r *rand.Rand) time.Duration { return between(r, pauses[l].least, pauses[l].most) }

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)+1))
}
