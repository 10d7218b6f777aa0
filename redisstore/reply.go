package redisstore

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// replyError is an error that the server has returned.
type replyError string

func (e replyError) Error() string { return string(e) }

// RedisError marks it as go-redis marks its own.
func (replyError) RedisError() {}

var errReply = errors.New("larder: not the reply to MGET")

// bulk takes a reply of n strings apart, "" for what is not there. It is as RESP 2 or
// 3 writes it (https://redis.io/docs/latest/develop/reference/protocol-spec/). The
// strings are parts of the reply.
func bulk(reply string, n int) ([]string, error) {
	line, rest, ok := strings.Cut(reply, "\r\n")
	switch {
	case !ok:
		return nil, errReply
	case line[:min(1, len(line))] == "-":
		return nil, replyError(line[1:])
	case line != "*"+strconv.Itoa(n):
		return nil, fmt.Errorf("%w of %d keys: %.20q", errReply, n, line)
	}
	out := make([]string, n)
	for i := range out {
		if line, rest, ok = strings.Cut(rest, "\r\n"); !ok || line == "" {
			return nil, errReply
		}
		if line == "$-1" || line == "_" {
			continue
		}
		size, err := strconv.Atoi(line[1:])
		if line[0] != '$' || err != nil || size < 0 || size > len(rest)-2 || rest[size:size+2] != "\r\n" {
			return nil, fmt.Errorf("%w: %.20q", errReply, line)
		}
		out[i], rest = rest[:size], rest[size+2:]
	}
	if rest != "" {
		return nil, errReply
	}
	return out, nil
}
