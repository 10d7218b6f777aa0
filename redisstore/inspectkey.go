package redisstore

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/redis/go-redis/v9"
)

// Inspection is what Redis holds under the key of a store, and what a read would make
// of it.
type Inspection struct {
	Key   string `json:"key"` // in Redis
	Lane  int    `json:"lane"`
	State State  `json:"state"`
	Type  string `json:"type"` // as Redis names it; "none" if there is nothing
	Size  int64  `json:"size"` // in bytes, if it is a string
	// Left is how long Redis keeps it; negative is for ever.
	Left time.Duration `json:"left_ns"`
	// Value is what could be read of a value.
	Value *ValueInspection `json:"value,omitempty"`
	// Lock is that of a fill token.
	Lock *LockInspection `json:"lock,omitempty"`
	// Writers is how many writers are in a quarantine, and Touched whether a second one,
	// or an invalidation, has come in between, so that none of them stores its value.
	Writers int  `json:"writers,omitempty"`
	Touched bool `json:"touched,omitempty"`
	// Refreshing says that a process loads the value again before its time is over.
	Refreshing bool `json:"refreshing"`
	// Star is the version of everything in the key's lane now, which Clear removes.
	Star Version `json:"lane_version"`
	// Misses are the reasons why a read is a miss now, in the order in which a store looks
	// for them: it reports the first. If there are none, a read is a hit, if the program
	// has the codec and the compressor of the value, and does not hold the key or a tag
	// itself after an invalidation that has failed. A hit may be stale.
	Misses []MissReason `json:"misses"`
}

// Hit reports whether nothing in Redis makes a miss of a read.
func (i Inspection) Hit() bool { return len(i.Misses) == 0 }

// ValueInspection is a value without its meaning.
type ValueInspection struct {
	Nonce  string `json:"nonce"` // of the value, in hexadecimal digits
	Absent bool   `json:"absent"`
	// Codec is the cache.Codec.ID of the codec that has written it, and Schema its
	// cache.Codec.Schema. Method is the method of cache.Compressor, 0 for none.
	Codec  byte   `json:"codec"`
	Schema uint32 `json:"schema"`
	Method byte   `json:"compression"`
	// Payload is the value as it is stored, compressed if there is a Method.
	Payload     []byte `json:"-"`
	PayloadSize int    `json:"payload_size"`
	// Loaded, Fresh and Expires are moments of the process that inspects, as a store
	// here would return them: what is stored has those of the clock of the lane.
	Loaded  cache.Moment  `json:"loaded_ms"` // 0 if that is not known
	Fresh   cache.Moment  `json:"fresh_ms"`
	Expires cache.Moment  `json:"expires_ms"`
	Cost    time.Duration `json:"cost_ns"`
	// OwnKey is the key that the value was stored under.
	OwnKey string `json:"own_key"`
	// Star is the version of its lane when it was loaded.
	Star string  `json:"lane_version"`
	Tags []Stamp `json:"tags"`
}

// LockInspection is the lock of a fill token: which fill loads, for how much longer
// others wait for it at most, and whether any do.
type LockInspection struct {
	Fill   string        `json:"fill"` // in hexadecimal digits
	Left   time.Duration `json:"left_ns"`
	Waited bool          `json:"waited"`
}

// Key returns what Redis holds under a key of a store: the key as text, as StoreOptions.Key
// or its default writes it. It costs three round trips. What it returns is not of
// one moment, but each part is from after the call began.
func (i *Inspector) Key(ctx context.Context, store, text string) (Inspection, error) {
	if err := validName(store); err != nil {
		return Inspection{}, fmt.Errorf("larder: redisstore.Inspector.Key: store %q %w", store, err)
	}
	s := i.space
	key := s.ns + ":v:" + store + ":" + text
	if digested(text) {
		key = s.ns + ":v:" + store + digestMark + ":" + digest(text)
	}
	out := Inspection{Key: key, Lane: s.lane(key)}
	p := i.rdb.Pipeline()
	kind, left, refreshing := p.Type(ctx, key), p.PTTL(ctx, key), p.Exists(ctx, s.refreshKey(key))
	if _, err := p.Exec(ctx); err != nil {
		return out, i.unavailable(err)
	}
	out.Type, out.Left, out.Refreshing = kind.Val(), max(left.Val(), -1), refreshing.Val() > 0
	if out.Type == "string" {
		var err error
		if out.Size, err = i.rdb.StrLen(ctx, key).Result(); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return out, i.unavailable(err)
		}
	}
	keys := []string{s.starKey(out.Lane)}
	if out.Size <= largestInspected {
		keys = append(keys, key)
	}
	raws, err := i.mget(ctx, keys...)
	if err != nil {
		return out, err
	}
	raws = append(raws, "")
	versions := map[string]string{}
	if env, err := parse(raws[1]); err == nil {
		tags, at := make([]string, len(env.stamps)), make([]string, len(env.stamps))
		for j, st := range env.stamps {
			tags[j], at[j] = st.tag, s.tagKey(st.tag)
		}
		read, err := i.mget(ctx, at...)
		if err != nil {
			return out, err
		}
		for j, t := range tags {
			versions[t] = read[j]
		}
	}
	server, err := i.time(ctx, key)
	if err != nil {
		return out, err
	}
	ahead, err := i.ahead(ctx, out.Lane)
	if err != nil {
		return out, err
	}
	i.judge(&out, raws[1], raws[0], versions, times{cache.Now(), ahead, server})
	return out, nil
}

// times is when something is judged: by our clock, which that of the key's lane is
// ahead of, and by the clock of the server that has the key, in milliseconds.
type times struct {
	now    cache.Moment
	ahead  time.Duration
	server int64
}

// judge says what raw is and what a read makes of it, as Store.entry does. star is
// what is under the key of the lane, and versions what is under those of the tags.
func (i *Inspector) judge(out *Inspection, raw, star string, versions map[string]string, at times) {
	out.Star = versionOf(star)
	miss := func(kind cache.Kind, format string, args ...any) {
		out.Misses = append(out.Misses, MissReason{kind, fmt.Sprintf(format, args...)})
	}
	switch {
	case out.Size > largestInspected:
		out.State = StateForeign
		miss(cache.MissCorrupt, "the string has %d bytes: it is too large to be looked at", out.Size)
		return
	case raw == "" && (out.Type == "none" || out.Type == ""):
		out.State = StateNothing
		miss(cache.Miss, "there is nothing: it was never stored, or expired, was invalidated or evicted")
		return
	case raw == "":
		out.State = StateForeign
		miss(cache.Miss, "what is there is of the type %s and no entry: another program has put it there, or it has just gone", out.Type)
		return
	case isToken(raw):
		out.State = StateToken
		out.Lock = lockOf(raw, at.server)
		miss(cache.MissWriter, "a load of it has begun and has not stored yet")
		return
	case raw[0] == kindQuarantine && len(raw) > headerSize:
		out.State = StateQuarantine
		out.Writers, out.Touched = quarantined(raw)
		miss(cache.MissWriter, "it is in quarantine: %d writers are at work on it", out.Writers)
		return
	}
	env, err := parse(raw)
	switch {
	case err == errUnknown:
		out.State = StateUnknown
		miss(cache.MissSchema, "it was written by a later version of Larder")
		return
	case err != nil:
		out.State = StateForeign
		miss(cache.MissCorrupt, "it is no entry: damaged, or not written by Larder")
		return
	}
	out.State = StateValue
	fresh, expires, loaded := env.moments(at.now, at.ahead)
	out.Value = &ValueInspection{
		Nonce: hex.EncodeToString([]byte(env.header[1:])), Absent: env.absent, Codec: env.codec, Schema: env.schema, Method: env.method,
		Payload: []byte(env.payload), PayloadSize: len(env.payload), Loaded: loaded, Fresh: fresh, Expires: expires,
		Cost: env.cost, OwnKey: env.key, Star: hex.EncodeToString([]byte(env.star)),
	}
	if env.key != out.Key {
		miss(cache.MissCorrupt, "it is the entry of another key, %q", env.key)
	}
	if !sameVersion(star, env.star) {
		miss(cache.MissTag, "%s", changed("everything in its lane", out.Star))
	}
	for _, st := range env.stamps {
		stamp := Stamp{Tag: st.tag, Lane: i.space.lane(st.tag), Stamped: hex.EncodeToString([]byte(st.version)),
			Now: versionOf(versions[st.tag]), Valid: sameVersion(versions[st.tag], st.version)}
		out.Value.Tags = append(out.Value.Tags, stamp)
		if !stamp.Valid {
			miss(cache.MissTag, "%s", changed(fmt.Sprintf("the tag %q", st.tag), stamp.Now))
		}
	}
	if expires <= at.now {
		miss(cache.MissExpired, "it expired %v ago", at.now.Sub(expires))
	}
}

// changed says why a version is not what it was.
func changed(what string, now Version) string {
	switch now.State {
	case StateVersion:
		return what + " was invalidated since it was loaded, and has another version"
	case StateNothing:
		return what + " has no version: it was invalidated, or its version was lost"
	case StateQuarantine:
		return what + " is in quarantine: a writer is at work"
	}
	return what + " has something under its key that is no version"
}

// lockOf returns the lock of a token, or nil if it has none: see lua/lock.lua.
func lockOf(raw string, server int64) *LockInspection {
	if len(raw) != headerSize+lockSize {
		return nil
	}
	until := binary.BigEndian.Uint64([]byte(raw[headerSize+8:]))
	left := cache.Moment(min(until, uint64(cache.Forever))).Sub(cache.Moment(server))
	return &LockInspection{hex.EncodeToString([]byte(raw[headerSize : headerSize+8])), max(left, 0), raw[headerSize+16] == '1'}
}
