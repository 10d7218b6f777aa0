// Package workload makes the operations of a benchmark and the times at which
// they are due. Both follow from the settings alone: who asks again gets the
// same.
package workload

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// Op is one operation. On is a row or, for InvalidateTag, a group of rows. N is how many
// rows GetMany and Scan read.
type Op struct {
	On   uint32
	N    uint16
	Kind Kind
}

// MaxBatch is the most rows that one operation reads.
const MaxBatch = 1000

// longestScan is the most rows that a Scan reads, as in YCSB.
const longestScan = 100

// Settings decide what a sequence is.
type Settings struct {
	Seed   uint64
	Ops    int
	Keys   int // rows that there are
	Groups int // groups that there are
	// Popularity is that of rows. Keys that come once are beyond Keys: the rows are as
	// many as its Span says.
	Popularity Popularity
	Mix        Mix
	Batch      int // rows that GetMany reads
}

// The streams of random numbers that are drawn from one seed.
const (
	streamOps = 1 + iota
	streamArrivals
)

// Sequence is a recorded list of operations.
type Sequence []Op

// Record returns the sequence of the settings. Rows are read and written by
// popularity; a group is as likely as any other.
func Record(s Settings) Sequence {
	rng := rand.New(rand.NewPCG(s.Seed, streamOps))
	keys := s.Popularity.Open(rng, s.Keys)
	ops := make(Sequence, s.Ops)
	for i := range ops {
		ops[i].Kind = s.Mix.draw(rng)
		switch ops[i].Kind {
		case InvalidateTag:
			ops[i].On = rng.Uint32N(uint32(s.Groups))
		case Insert:
			ops[i].On = keys.Insert()
		default:
			ops[i].On = keys.Next()
		}
		switch ops[i].Kind {
		case GetMany:
			ops[i].N = uint16(s.Batch)
		case Scan:
			ops[i].N = uint16(1 + rng.IntN(longestScan))
		}
	}
	return ops
}

// Rows appends the rows that the i-th operation reads to ids, of all that there are: for
// GetMany those that the next operations are on, and for Scan those that follow.
func (s Sequence) Rows(ids []uint32, i, rows int) []uint32 {
	op := s.At(i)
	switch op.Kind {
	case GetMany:
		for next := i; len(ids) < int(op.N) && next < i+len(s); next++ {
			if o := s.At(next); o.Kind != InvalidateTag {
				ids = append(ids, o.On)
			}
		}
	case Scan:
		for k := range min(int(op.N), rows) {
			ids = append(ids, uint32((int(op.On)+k)%rows))
		}
	}
	return ids
}

// At returns the i-th operation. After the last, the sequence begins again.
func (s Sequence) At(i int) Op { return s[i%len(s)] }

// Digest returns the SHA-256 of the sequence: for each operation the kind, the row or
// group in four bytes in little-endian order and, if it reads several rows, their number
// in two.
func (s Sequence) Digest() string {
	h := sha256.New()
	var b [7]byte
	for _, op := range s {
		b[0] = byte(op.Kind)
		binary.LittleEndian.PutUint32(b[1:], op.On)
		binary.LittleEndian.PutUint16(b[5:], op.N)
		if op.N == 0 {
			h.Write(b[:5])
		} else {
			h.Write(b[:])
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}
