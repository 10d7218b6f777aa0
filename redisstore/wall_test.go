package redisstore

import (
	"time"
	"unsafe"
)

// wallSet returns t as it would be if somebody had set the wall clock by d: the
// monotonic reading does not notice.
func wallSet(t time.Time, d time.Duration) time.Time {
	type words struct {
		wall uint64
		ext  int64 // the monotonic reading
	}
	set := t.Add(d)
	(*words)(unsafe.Pointer(&set)).ext = (*words)(unsafe.Pointer(&t)).ext
	return set
}
