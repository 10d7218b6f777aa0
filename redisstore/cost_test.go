package redisstore

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
)

// costCap is how many bytes the parsers may allocate for an input: what Redis
// holds may claim any length, and that costs nothing.
func costCap(input string) uint64 { return 4<<10 + 64*uint64(len(input)) }

// allocated returns how many bytes f has allocated, by whichever goroutine.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// cheap fails if f allocates more for an input than costCap, each time.
func cheap(t *testing.T, input string, f func()) {
	t.Helper()
	least := ^uint64(0)
	for range 3 { // other goroutines allocate too
		if least = min(least, allocated(f)); least <= costCap(input) {
			return
		}
	}
	t.Errorf("%d bytes are allocated for an input of %d: %q", least, len(input), input)
}

func TestLengthsThatAreClaimedCostNothing(t *testing.T) {
	huge := string(binary.AppendUvarint(nil, 1<<62))
	message := framed(aTail(1), aTail(2), payload{keys: []uint32{1, 2}, tags: []string{"tag", "other"}})
	for _, e := range samples() {
		value := string(e.appendBody(nil))
		value = value[:len(value)-4] // without its checksum
		for i := 0; i < len(value); i += 1 + i/64 {
			raw := header(kindValue) + reseal(value[:i]+huge+value[i:])
			cheap(t, raw, func() { parse(raw) })
		}
	}
	for i := range len(message) {
		raw := message[:i] + huge + message[i:]
		cheap(t, raw, func() { parseMessage(raw) })
		raw = message[:i] + strings.Repeat("\xff", 8)
		cheap(t, raw, func() { parseMessage(raw) })
	}
	if n := allocated(func() { sink = make([]byte, 1<<20) }); n < 1<<20 {
		t.Errorf("a MiB is measured as %d bytes", n)
	}
}

var sink []byte
