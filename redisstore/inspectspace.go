package redisstore

import (
	"context"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// SpaceInspection is what Redis holds of a space as a whole.
type SpaceInspection struct {
	Name string `json:"name"`
	// Settings is what the processes that use the space have in common, "" if there are
	// none; Ours is what this program would use. If they differ, a client of another
	// kind, or another version of this package, uses the space.
	Settings string           `json:"settings"`
	Ours     string           `json:"ours"`
	Lanes    []LaneInspection `json:"lanes"`
}

// LaneInspection is what Redis holds of a lane.
type LaneInspection struct {
	Lane int     `json:"lane"`
	Star Version `json:"version"` // of everything whose key is in the lane
	// Log names the log of the lane, in hexadecimal digits, and Seq is the number of its
	// last message. Without a log, which begins with the first process, Log is "".
	Log string `json:"log,omitempty"`
	Seq uint64 `json:"seq"`
	// Members are the processes that keep entries in memory, by id.
	Members []Member `json:"members"`
}

// Member is a process that keeps entries of a space in memory, in one lane.
type Member struct {
	ID   string        `json:"id"`
	Beat cache.Moment  `json:"beat_ms"` // its last, by the clock of the server
	Ago  time.Duration `json:"ago_ns"`  // how long ago that was
	// Applied is the number of the last message that it had applied at that beat, and
	// Behind how many have come since, -1 if it follows another log or none yet. As a
	// process beats four times in a lease, it may be much less behind by now.
	Applied uint64 `json:"applied"`
	Behind  int64  `json:"behind"`
}

// Space returns what Redis holds of the space as a whole. It costs a few round trips.
func (i *Inspector) Space(ctx context.Context) (SpaceInspection, error) {
	s := i.space
	out := SpaceInspection{Name: s.ns, Ours: s.settings()}
	calls := make([]*call, s.lanes)
	stars := make([]string, s.lanes)
	for lane := range calls {
		calls[lane] = command(ctx, "hgetall", s.laneKey(lane))
		stars[lane] = s.starKey(lane)
	}
	send(ctx, i.rdb, calls)
	versions, err := i.mget(ctx, stars...)
	if err != nil {
		return out, err
	}
	for lane, c := range calls {
		if err := c.cmd.Err(); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return out, i.unavailable(err)
		}
		now, err := i.time(ctx, s.laneKey(lane))
		if err != nil {
			return out, err
		}
		fields := c.pairs()
		if lane == 0 {
			out.Settings = fields["settings"]
		}
		out.Lanes = append(out.Lanes, laneOf(lane, fields, versions[lane], cache.Moment(now)))
	}
	return out, nil
}

// laneOf returns what the hash of a lane says.
func laneOf(lane int, fields map[string]string, star string, now cache.Moment) LaneInspection {
	out := LaneInspection{Lane: lane, Star: versionOf(star), Members: []Member{}}
	tail, err := parseTail(fields["tail"])
	if err == nil {
		out.Log, out.Seq = hex.EncodeToString([]byte(tail.line)), tail.seq
	}
	for k, v := range fields {
		id, ok := strings.CutPrefix(k, "m:")
		if !ok {
			continue
		}
		beat, text, _ := strings.Cut(v, ":")
		ms, _ := strconv.ParseInt(beat, 10, 64)
		m := Member{ID: id, Beat: cache.Moment(ms), Behind: -1}
		m.Ago = max(now.Sub(m.Beat), 0)
		if applied, err1 := parseTail(text); err1 == nil {
			m.Applied = applied.seq
			if err == nil && applied.line == tail.line {
				m.Behind = int64(tail.seq - min(applied.seq, tail.seq))
			}
		}
		out.Members = append(out.Members, m)
	}
	slices.SortFunc(out.Members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Census is how many keys a space has in Redis, by what is under them.
type Census struct {
	Values      int `json:"values"`
	Tokens      int `json:"tokens"`      // of loads that are under way or were given up
	Quarantines int `json:"quarantines"` // of keys
	Foreign     int `json:"foreign"`     // under keys of values, but none of the above
	Tags        int `json:"tags"`        // that have a version or a quarantine
	Refreshes   int `json:"refreshes"`   // loads of values that are still valid
	Other       int `json:"other"`       // keys of lanes, and those that this version does not know
	// Stores is how many of Values there are in each store.
	Stores map[string]int `json:"stores"`
	// Looked is how many keys of the servers were looked at, those of others too.
	// Complete is false if that was not all of them.
	Looked   int64 `json:"looked"`
	Complete bool  `json:"complete"`
}

// scanStep is how many keys one SCAN looks at.
const scanStep = 1000

// Census counts the keys of the space by SCAN, which looks at all keys of all masters,
// but no more than most, in steps of a thousand that do not hold up the server. Of each
// value it reads one byte. What changes meanwhile may be counted or not, or twice.
func (i *Inspector) Census(ctx context.Context, most int64) (Census, error) {
	out := Census{Stores: map[string]int{}, Complete: true}
	var masters []*redis.Client
	if cluster, ok := i.rdb.(*redis.ClusterClient); ok {
		found := make(chan *redis.Client, 1024)
		err := cluster.ForEachMaster(ctx, func(_ context.Context, c *redis.Client) error {
			found <- c
			return nil
		})
		close(found)
		if err != nil {
			return out, i.unavailable(err)
		}
		for c := range found {
			masters = append(masters, c)
		}
	}
	if masters == nil {
		return out, i.count(ctx, i.rdb, most, &out)
	}
	for _, c := range masters {
		if err := i.count(ctx, c, most, &out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// count adds the keys of one master.
func (i *Inspector) count(ctx context.Context, rdb redis.Cmdable, most int64, out *Census) error {
	var cursor uint64
	for {
		if out.Looked >= most {
			out.Complete = false
			return nil
		}
		keys, next, err := rdb.Scan(ctx, cursor, i.space.ns+":*", scanStep).Result()
		if err != nil {
			return i.unavailable(err)
		}
		out.Looked += scanStep
		p := rdb.Pipeline()
		var stores []string
		var kinds []*redis.StringCmd
		for _, k := range keys {
			switch kind, rest := i.split(k); kind {
			case "v":
				store, _, _ := strings.Cut(rest, ":")
				store = strings.TrimSuffix(store, digestMark)
				stores = append(stores, store)
				kinds = append(kinds, p.GetRange(ctx, k, 0, 0))
			case "t":
				out.Tags++
			case "l":
				out.Refreshes++
			case "":
			default:
				out.Other++
			}
		}
		if len(kinds) > 0 {
			p.Exec(ctx) // each has its own error, as what is no string is one
		}
		for j, c := range kinds {
			if err := c.Err(); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
				return i.unavailable(err)
			}
			out.add(c.Val(), stores[j])
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

func (c *Census) add(kind, store string) {
	switch kind {
	case string(kindValue):
		c.Values++
		c.Stores[store]++
	case string(kindToken):
		c.Tokens++
	case string(kindQuarantine):
		c.Quarantines++
	default:
		c.Foreign++
	}
}

// split returns the part of a key after the name of the space, and what is behind it.
func (i *Inspector) split(key string) (kind, rest string) {
	rest, ok := strings.CutPrefix(key, i.space.ns+":")
	if !ok {
		return "", ""
	}
	kind, rest, _ = strings.Cut(rest, ":")
	return kind, rest
}
