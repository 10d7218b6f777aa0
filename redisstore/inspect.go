package redisstore

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// largestInspected bounds the strings that an Inspector reads, in bytes.
const largestInspected = 64 << 20

// Inspector shows what Redis holds of a space, for tools and pages of
// administrators. It only reads: it sends no script, is on no list of processes and
// takes no part in anything, so it may look at a space in production. It uses the
// client that it is given, with the timeouts of that. Its methods may be called at
// once from many goroutines.
type Inspector struct {
	space *Space // of which there is nothing but the names of keys
	rdb   redis.UniversalClient
}

// NewInspector returns an Inspector of the space of the given name, on the servers
// that rdb leads to. As for Open, a redis.ClusterClient is needed for a space in a
// cluster: from another client its keys have other names.
func NewInspector(rdb redis.UniversalClient, name string) (*Inspector, error) {
	if err := validName(name); err != nil {
		return nil, fmt.Errorf("larder: redisstore.NewInspector: name %q %w", name, err)
	}
	given, err := known(rdb)
	if err != nil {
		return nil, fmt.Errorf("larder: redisstore.NewInspector: %w", err)
	}
	s := &Space{ns: name}
	s.layout(given)
	return &Inspector{s, rdb}, nil
}

// State is what Redis has under a key.
type State string

// The states. A tag has a version, a quarantine, nothing or something foreign.
const (
	StateNothing    State = "nothing"    // there is nothing
	StateValue      State = "value"      // a value that can be read
	StateToken      State = "token"      // a fill has begun, and nothing is stored yet
	StateQuarantine State = "quarantine" // a writer is at work
	StateUnknown    State = "unknown"    // a whole value of a later version of this package
	StateForeign    State = "foreign"    // something else: damaged, or not of this package
	StateVersion    State = "version"    // the version of a tag or of a lane
)

// MissReason is one of the reasons why a read is a miss.
type MissReason struct {
	Kind cache.Kind // as an Observer of a store is told of the read
	Why  string     // in words
}

// MarshalJSON writes the kind by its name.
func (r MissReason) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Kind string `json:"kind"`
		Why  string `json:"why"`
	}{r.Kind.String(), r.Why})
}

// Version is what Redis has as the version of a tag, or of everything in a lane.
type Version struct {
	State State `json:"state"`
	// Version is the version, or the nonce of a quarantine, in hexadecimal digits. Those
	// of different versions are different.
	Version string `json:"version,omitempty"`
	// Writers is how many writers are in a quarantine.
	Writers int `json:"writers,omitempty"`
}

// TagInspection is what Redis holds of a tag.
type TagInspection struct {
	Tag  string `json:"tag"`
	Key  string `json:"key"` // in Redis
	Lane int    `json:"lane"`
	Version
	// Left is how long Redis keeps it; negative is for ever.
	Left time.Duration `json:"left_ns"`
}

// Stamp is a tag of a value, with its version when the value was loaded and now.
type Stamp struct {
	Tag     string  `json:"tag"`
	Lane    int     `json:"lane"`
	Stamped string  `json:"stamped"`
	Now     Version `json:"now"`
	Valid   bool    `json:"valid"` // they are the same
}

// Tag returns what Redis holds of a tag.
func (i *Inspector) Tag(ctx context.Context, tag string) (TagInspection, error) {
	out := TagInspection{Tag: tag, Key: i.space.tagKey(tag), Lane: i.space.lane(tag)}
	raws, err := i.mget(ctx, out.Key)
	if err != nil {
		return out, err
	}
	out.Version = versionOf(raws[0])
	left, err := i.rdb.PTTL(ctx, out.Key).Result()
	out.Left = max(left, -1)
	return out, i.unavailable(err)
}

// versionOf says what raw is, which is under the key of a tag or of a lane.
func versionOf(raw string) Version {
	switch {
	case raw == "":
		return Version{State: StateNothing}
	case len(raw) == headerSize && raw[0] == kindVersion:
		return Version{StateVersion, hex.EncodeToString([]byte(raw[1:])), 0}
	case len(raw) >= headerSize && raw[0] == kindQuarantine:
		writers, _ := quarantined(raw)
		return Version{StateQuarantine, hex.EncodeToString([]byte(raw[1:headerSize])), writers}
	}
	return Version{State: StateForeign}
}

// quarantined returns how many writers are in a quarantine, and whether somebody else
// has touched it: see lua/taint.lua.
func quarantined(raw string) (writers int, touched bool) {
	const ids = headerSize + 1
	return (max(len(raw), ids) - ids) / 16, len(raw) > headerSize && raw[headerSize] == '1'
}

// mget reads strings, "" for what is not there or no string, each alone: in a cluster
// they are on several servers.
func (i *Inspector) mget(ctx context.Context, keys ...string) ([]string, error) {
	raws := make([]string, 0, len(keys))
	for some := range slices.Chunk(keys, maxMGet) {
		calls := make([]*call, len(some))
		for j, k := range some {
			calls[j] = mget(ctx, []string{k})
		}
		send(ctx, i.rdb, calls)
		for _, c := range calls {
			if err := c.cmd.Err(); err != nil {
				return nil, i.unavailable(err)
			}
			raws = append(raws, append(c.strings(), "")[0])
		}
	}
	return raws, nil
}

func (i *Inspector) unavailable(err error) error {
	if err == nil || err == redis.Nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errUnavailable, err)
}
