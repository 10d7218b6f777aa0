package redisstore

import "testing"

func TestMemory_OfTailsTakesPlaceAsTheyCome(t *testing.T) {
	var m memory
	tail := func(seq uint64) logTail { return logTail{"the name of a log", ^seq, seq} }
	if m.has(tail(1)) || m.has(logTail{}) {
		t.Error("a memory of nothing has a tail")
	}
	for range 1000 { // a beat that says the same each time
		m.put(tail(7))
	}
	if !m.has(tail(7)) || m.has(tail(8)) || m.has(logTail{"the name of a log", 1, 7}) || len(m.tails) != fewTails {
		t.Errorf("after one tail, there are %d places", len(m.tails))
	}
	for seq := range uint64(3 * mostTails) {
		m.put(tail(8 + seq))
		if !m.has(tail(8 + seq)) {
			t.Fatalf("tail %d is not remembered", seq)
		}
	}
	last := uint64(8 + 3*mostTails - 1)
	for seq := range uint64(mostTails) {
		if !m.has(tail(last - seq)) {
			t.Fatalf("the last tail but %d is not remembered", seq)
		}
	}
	if m.has(tail(last-mostTails)) || len(m.tails) != mostTails {
		t.Errorf("more than %d are remembered, in %d places", mostTails, len(m.tails))
	}
	m.put(logTail{"the name of a new", 1, last})
	if m.has(tail(last)) || m.has(tail(last-1)) || len(m.tails) != fewTails {
		t.Error("the tails of another log are remembered")
	}
	m.put(logTail{"the name of a new", 2, last + 100}) // after a gap
	if !m.has(logTail{"the name of a new", 1, last}) || !m.has(logTail{"the name of a new", 2, last + 100}) {
		t.Error("a tail after a gap takes the place of another")
	}
}
