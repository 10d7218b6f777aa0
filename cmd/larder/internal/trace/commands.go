package trace

import (
	"bytes"
	"math"
	"strings"
)

// command says which of the arguments of a command of Redis are keys and what it
// does with them. What it writes to one of several members of a key, or adds to
// it, does not say how big the whole is.
type command struct {
	op    Op
	last  int // the last key: 1 the first argument, -1 the last
	step  int // arguments from a key to the next
	value int // the place of the value behind the key; 0: its size is not known
}

// keyCommands are the commands that have one meaning. Those that have a TTL are
// in commands.run.
var keyCommands = func() map[string]command {
	all := make(map[string]command)
	for names, c := range map[string]command{
		"get strlen getrange substr getbit bitcount bitpos type dump object hget hmget hgetall hexists hkeys hvals hlen hstrlen hscan hrandfield " +
			"lrange lindex llen lpos smembers sismember smismember scard srandmember sscan " +
			"zrange zrangebyscore zrangebylex zrevrange zrevrangebyscore zrevrangebylex zscore zmscore zrank zrevrank zcard zcount zlexcount zscan zrandmember " +
			"xrange xrevrange xlen geopos geodist geosearch georadius georadius_ro pfcount json.get": {op: Read, last: 1, step: 1},
		"mget exists touch":         {op: Read, last: -1, step: 1},
		"del unlink":                {op: Delete, last: -1, step: 1},
		"getdel":                    {op: Delete, last: 1, step: 1},
		"mset msetnx":               {op: Write, last: -1, step: 2, value: 1},
		"set setnx getset json.set": {op: Write, last: 1, step: 1, value: 1},
		"setex psetex":              {op: Write, last: 1, step: 1, value: 2},
		"append setrange setbit incr decr incrby decrby incrbyfloat hset hmset hsetnx hincrby hincrbyfloat hdel hsetex " +
			"lpush rpush lpushx rpushx lpop rpop lset lrem ltrim linsert sadd srem spop zadd zrem zincrby zpopmin zpopmax " +
			"zremrangebyscore zremrangebyrank zremrangebylex xadd xdel xtrim geoadd pfadd": {op: Write, last: 1, step: 1},
	} {
		for name := range strings.FieldsSeq(names) {
			all[name] = c
		}
	}
	return all
}()

// commands turns commands of Redis into requests. A key is one object, whatever
// it holds. A read has the size that the key had when it was last written, or,
// before that, when it is first.
type commands struct {
	rec     *recorder
	keys    textKeys
	name    []byte
	size    []uint32 // by id: as last written, 0 not known
	first   []uint32 // by id: as first written
	written []int32  // by id: the request that wrote it last, -1 none
	skipped map[string]int
}

func newCommands(rec *recorder) *commands {
	return &commands{rec: rec, keys: numberText(rec), skipped: make(map[string]int)}
}

// run records the requests of one command.
func (c *commands) run(m *monitor) error {
	if len(m.args) == 0 || len(m.args[0].text) > 32 {
		c.skip("?")
		return nil
	}
	name, args := strings.ToLower(string(m.args[0].text)), m.args[1:]
	switch name {
	case "expire", "pexpire", "expireat", "pexpireat":
		return c.expire(m, name, args)
	case "getex":
		if len(args) == 0 {
			break
		}
		err := c.request(m, args[0], detail{op: Read})
		if ttl, ok := c.lifetime(m, args[1:]); ok && err == nil {
			c.live(len(c.rec.ids)-1, ttl)
		}
		return err
	case "getdel":
		if len(args) == 1 {
			if err := c.request(m, args[0], detail{op: Read}); err != nil {
				return err
			}
		}
	}
	k, ok := keyCommands[name]
	if !ok || len(args) < 1+k.value {
		c.skip(name)
		return nil
	}
	if name == "object" { // its key is behind a word
		args = args[1:]
	}
	last := k.last
	if last < 0 || last > len(args) {
		last = len(args)
	}
	for i := 0; i < last && i+k.value < len(args); i += k.step {
		d := detail{op: k.op}
		if k.value > 0 {
			d.size = sum(args[i].size, args[i+k.value].size)
		}
		switch name {
		case "set":
			d.ttl, _ = c.lifetime(m, args[2:])
		case "setex":
			d.ttl, _ = ttlOf("ex", args[1].text, m.at)
		case "psetex":
			d.ttl, _ = ttlOf("px", args[1].text, m.at)
		}
		if err := c.request(m, args[i], d); err != nil {
			return err
		}
	}
	return nil
}

// request records one request of a key.
func (c *commands) request(m *monitor, key argument, d detail) error {
	if key.size > maxKept {
		return m.fault("has a key of more than %d bytes", maxKept)
	}
	c.name = append(append(append(c.name[:0], m.database...), ' '), key.text...)
	if err := c.keys.request(c.name); err != nil {
		return err
	}
	id := c.rec.ids[len(c.rec.ids)-1]
	if int(id) == len(c.size) {
		c.size, c.first, c.written = append(c.size, 0), append(c.first, 0), append(c.written, -1)
	}
	switch d.op {
	case Write:
		c.written[id] = int32(len(c.rec.ids) - 1)
		if d.size > 0 {
			c.size[id] = clamp(d.size)
			if c.first[id] == 0 {
				c.first[id] = c.size[id]
			}
		}
	case Delete:
		c.written[id] = -1
	}
	d.at, d.size = uint64(m.at), uint64(c.size[id])
	c.rec.note(d)
	return nil
}

// expire gives the write of a key before the TTL that a command of its own says.
// One that is over at once is a delete.
func (c *commands) expire(m *monitor, name string, args []argument) error {
	units := map[string]string{"expire": "ex", "pexpire": "px", "expireat": "exat", "pexpireat": "pxat"}
	if len(args) < 2 {
		c.skip(name)
		return nil
	}
	ttl, ok := ttlOf(units[name], args[1].text, m.at)
	if !ok {
		if bytes.HasPrefix(args[1].text, []byte("-")) || string(args[1].text) == "0" || strings.HasSuffix(name, "at") {
			return c.request(m, args[0], detail{op: Delete})
		}
		c.skip(name)
		return nil
	}
	c.name = append(append(append(c.name[:0], m.database...), ' '), args[0].text...)
	if id, known := c.keys.ids[string(c.name)]; known && c.written[id] >= 0 {
		c.live(int(c.written[id]), ttl)
	}
	return nil
}

// live sets the TTL of a request that was recorded.
func (c *commands) live(request int, ttl uint64) {
	if c.rec.ttls == nil {
		c.rec.ttls = make([]uint32, len(c.rec.ids))
	}
	c.rec.ttls[request] = clamp(ttl)
}

// lifetime finds a TTL among the options of SET and GETEX.
func (c *commands) lifetime(m *monitor, options []argument) (ttl uint64, ok bool) {
	for i := 0; i+1 < len(options); i++ {
		if ttl, ok := ttlOf(strings.ToLower(string(options[i].text[:min(len(options[i].text), 8)])), options[i+1].text, m.at); ok {
			return ttl, true
		}
	}
	return 0, false
}

// ttlOf returns the TTL in seconds, rounded up, which a number in a unit of Redis
// stands for at a time.
func ttlOf(unit string, text []byte, now float64) (ttl uint64, ok bool) {
	n, ok := decimal(text)
	if !ok || n == 0 {
		return 0, false
	}
	seconds := float64(n)
	switch unit {
	case "ex":
	case "px":
		seconds /= 1000
	case "exat":
		seconds -= now
	case "pxat":
		seconds = seconds/1000 - now
	default:
		return 0, false
	}
	return uint64(min(math.Ceil(seconds), math.MaxUint32)), seconds > 0
}

// skip counts a command that is passed over. Names that no command has, which may
// be hostile, count together.
func (c *commands) skip(name string) {
	if strings.ContainsFunc(name, func(r rune) bool { return r < '!' || r > '~' }) {
		name = "?"
	}
	if _, known := c.skipped[name]; !known && len(c.skipped) >= maxSkipped {
		name = "?"
	}
	c.skipped[name]++
}

// finish gives the requests before the first write of a key the size of that.
func (c *commands) finish() {
	for i := range c.rec.sizes {
		if c.rec.sizes[i] == 0 {
			c.rec.sizes[i] = c.first[c.rec.ids[i]]
		}
	}
	if len(c.skipped) > 0 {
		c.rec.doubt("%s", skipped(c.skipped))
	}
}
