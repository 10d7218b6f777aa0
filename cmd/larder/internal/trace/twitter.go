package trace

import (
	"bufio"
	"bytes"
)

// parseTwitter reads "timestamp,key,key size,value size,client,operation,TTL" a
// line. The size of an object is that of its key and value.
func parseTwitter(r *bufio.Reader, rec *recorder) error {
	rec.timed = true
	keys := numberText(rec)
	in := lines{r: r}
	return in.each(func(line []byte) error {
		key, d, ok := twitterLine(line)
		if !ok {
			return in.fault("is not \"timestamp,key,key size,value size,client,operation,TTL\": %s", excerpt(line))
		}
		return keys.detailed(key, d)
	})
}

// twitterLine takes apart a line, from both ends, as keys may hold commas.
func twitterLine(line []byte) (key []byte, d detail, ok bool) {
	at, rest, ok := bytes.Cut(line, []byte(","))
	if !ok {
		return nil, d, false
	}
	var tail [5][]byte // key size, value size, client, operation, TTL
	for i := len(tail) - 1; i >= 0; i-- {
		comma := bytes.LastIndexByte(rest, ',')
		if comma < 0 {
			return nil, d, false
		}
		tail[i], rest = rest[comma+1:], rest[:comma]
	}
	var keySize, valueSize uint64
	for _, f := range []struct {
		text []byte
		into *uint64
	}{{at, &d.at}, {tail[0], &keySize}, {tail[1], &valueSize}, {tail[4], &d.ttl}} {
		if *f.into, ok = decimal(f.text); !ok {
			return nil, d, false
		}
	}
	d.size = sum(keySize, valueSize)
	d.op, ok = opOfName(tail[3])
	return rest, d, ok
}
