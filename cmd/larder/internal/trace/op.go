package trace

import (
	"bytes"
	"fmt"
)

// Op is what a request does with its key.
type Op uint8

// The operations. Whatever reads a value is a Read, also if a miss would have
// to load it; whatever changes one is a Write.
const (
	Read Op = iota
	Write
	Delete
)

// ops is the number of operations.
const ops = 3

var opNames = [ops]string{"get", "set", "delete"}

// String returns the operation as it stands in a CSV file: get, set or delete.
func (o Op) String() string {
	if int(o) < len(opNames) {
		return opNames[o]
	}
	return fmt.Sprintf("Op(%d)", o)
}

// memcachedOps are the commands of memcached, by which traces of Twitter and of
// libCacheSim name operations. Their places are the codes of libCacheSim's
// binary formats, where 0 stands for none.
var memcachedOps = []struct {
	name string
	op   Op
}{
	{"", Read}, {"get", Read}, {"gets", Read}, {"set", Write}, {"add", Write}, {"cas", Write}, {"replace", Write},
	{"append", Write}, {"prepend", Write}, {"delete", Delete}, {"incr", Write}, {"decr", Write},
	{"read", Read}, {"write", Write}, {"update", Write},
}

// opOfCode returns the operation of a code of libCacheSim.
func opOfCode(code uint32) (Op, bool) {
	if code >= uint32(len(memcachedOps)) {
		return 0, false
	}
	return memcachedOps[code].op, true
}

// opOfName returns the operation of a name, in capitals or not.
func opOfName(name []byte) (Op, bool) {
	for _, m := range memcachedOps[1:] {
		if bytes.EqualFold(name, []byte(m.name)) {
			return m.op, true
		}
	}
	switch string(bytes.ToLower(name)) {
	case "get_lease":
		return Read, true
	case "set_lease", "put":
		return Write, true
	case "del", "remove":
		return Delete, true
	}
	return 0, false
}
