package redisstore

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// part is what a read wants to know of one server.
type part struct {
	server *server
	reads  []lookup
	waits  *ask // nil if it went at once
}

// readTogether reads with others: what a server that nobody is asking has is read
// at once, and what is at the others goes with the next trip to each.
func (v *view) readTogether(ctx context.Context, reads []lookup) error {
	var space [4]part
	parts := space[:0]
	if v.space.lanes == 1 {
		parts = append(parts, part{server: &v.space.servers.single, reads: reads})
	} else {
		parts = byServer(parts, reads)
	}
	atOnce := reads
	if len(parts) > 1 {
		atOnce = make([]lookup, 0, len(reads))
	}
	waiting := 0
	for i := range parts {
		p := &parts[i]
		a := v.ask(i).about(p.reads)
		if !p.server.depart(a, p.server.breaker.wary.Load() && ctx.Done() != nil) {
			p.waits = a
			waiting++
		} else if len(parts) > 1 {
			atOnce = append(atOnce, p.reads...)
		}
	}
	var err error
	if waiting < len(parts) {
		err = v.depart(ctx, parts, atOnce)
	}
	for i := range parts {
		if a := parts[i].waits; a != nil {
			if err1 := v.land(ctx, a); err == nil {
				err = err1
			}
		}
	}
	return err
}

// byServer sorts reads by server.
func byServer(parts []part, reads []lookup) []part {
next:
	for _, r := range reads {
		for i := range parts {
			if parts[i].server == r.server {
				parts[i].reads = append(parts[i].reads, r)
				continue next
			}
		}
		parts = append(parts, part{server: r.server, reads: []lookup{r}})
	}
	return parts
}

// depart reads what goes at once.
func (v *view) depart(ctx context.Context, parts []part, reads []lookup) error {
	defer func() {
		for i := range parts {
			if parts[i].waits == nil {
				parts[i].server.landed()
			}
		}
	}()
	began := time.Now()
	err := v.readAlone(ctx, reads)
	took := time.Since(began)
	for i := range parts {
		switch {
		case parts[i].waits != nil:
		case err == nil:
			parts[i].server.took(took)
		case len(parts) == 1: // else it may be another server that does not answer
			parts[i].server.failed(err, took)
		}
	}
	return err
}

// land waits for the answer of a trip with others.
func (v *view) land(ctx context.Context, a *ask) error {
	answered, err := a.wait(ctx)
	if v.left = v.left || !answered; answered && a.reply != nil {
		v.replies = append(v.replies, a.reply)
	}
	if err != nil && redis.HasErrorPrefix(err, "TRYAGAIN") { // a slot moves
		return v.readAlone(ctx, a.reads)
	}
	if err != nil {
		for i := range a.reads {
			a.reads[i].deliver(v, nil, err)
		}
		return err
	}
	got := a.got
	for i := range a.reads {
		n := len(a.reads[i].keys)
		a.reads[i].deliver(v, got[:n], nil)
		got = got[n:]
	}
	return nil
}

// ask returns the i-th ask of a read, each of which is used once in it.
func (v *view) ask(i int) *ask {
	for len(v.asks) <= i {
		v.asks = append(v.asks, &ask{})
	}
	return v.asks[i]
}
