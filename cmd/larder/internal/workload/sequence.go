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

// Op is one operation. On is a row or, for InvalidateTag, a group of rows.
type Op struct {
	On   uint32
	Kind Kind
}

// Settings decide what a sequence is.
type Settings struct {
	Seed   uint64
	Ops    int
	Keys   int     // rows that there are
	Groups int     // groups that there are
	Skew   float64 // the exponent of the Zipf distribution of keys; 0 is uniform
	Mix    Mix
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
	keys := newScatter(rng, s.Keys)
	ranks := NewZipf(rng, s.Keys, s.Skew)
	ops := make(Sequence, s.Ops)
	for i := range ops {
		ops[i].Kind = s.Mix.draw(rng)
		if ops[i].Kind == InvalidateTag {
			ops[i].On = rng.Uint32N(uint32(s.Groups))
		} else {
			ops[i].On = keys.key(ranks.Rank())
		}
	}
	return ops
}

// At returns the i-th operation. After the last, the sequence begins again.
func (s Sequence) At(i int) Op { return s[i%len(s)] }

// Digest returns the SHA-256 of the sequence: 5 bytes an operation, the kind
// and the row or group in little-endian order.
func (s Sequence) Digest() string {
	h := sha256.New()
	var b [5]byte
	for _, op := range s {
		b[0] = byte(op.Kind)
		binary.LittleEndian.PutUint32(b[1:], op.On)
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
