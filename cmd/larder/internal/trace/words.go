package trace

import "encoding/binary"

// leastPairs is the number of words below which the statistics of wordFormat
// say nothing.
const leastPairs = 16

// wordFormat tells big-endian 32-bit keys (Cache2k) from 64-bit ones (Corda).
// Neither has a header, so this is a guess. The sample is read as words of 64
// bits, and their high halves are compared with their low ones:
//
//  1. High halves that never vary, or far less than the low ones (a sixteenth
//     of the different values or fewer), are the upper bits of 64-bit numbers. In a
//     stream of 32-bit keys both halves are keys alike.
//  2. A leading zero byte in nearly all halves of both kinds is the padding of
//     32-bit keys below 2^24.
//  3. Else repetition decides. When a half that was seen before comes with the
//     other half it had then, the two belong together and the keys have 64
//     bits; when it comes with another one, they are two keys of 32 bits.
//
// Without enough repetition, as in random or compressed data, it gives no
// answer. A stream of 32-bit keys that only ever repeats in fixed pairs and
// whose keys exceed 2^24 is taken for 64-bit keys.
func wordFormat(sample []byte) (Format, bool) {
	var (
		high   = make(map[uint32]struct{})
		low    = make(map[uint32]struct{})
		both   = make(map[uint64]struct{})
		padded int
		n      = len(sample) / 8
	)
	for i := range n {
		w := binary.BigEndian.Uint64(sample[8*i:])
		h, l := uint32(w>>32), uint32(w)
		high[h], low[l], both[w] = struct{}{}, struct{}{}, struct{}{}
		if h < 1<<24 && l < 1<<24 {
			padded++
		}
	}
	if n < leastPairs {
		return fewWords(sample, len(high), len(low), padded)
	}
	halves := n - max(len(high), len(low))
	pairs := n - len(both)
	switch {
	case len(high) == 1 && len(low) > 1, len(high)*16 <= len(low):
		return Corda, true
	case padded*100 >= n*99:
		return Cache2k, true
	case halves*200 < n || halves < 4:
		return "", false
	case pairs*100 >= halves*97:
		return Corda, true
	case pairs*100 <= halves*90:
		return Cache2k, true
	}
	return "", false
}

// fewWords decides by zero padding alone.
func fewWords(sample []byte, high, low, padded int) (Format, bool) {
	n := len(sample) / 8
	switch {
	case n >= 4 && high == 1 && low > 1:
		return Corda, true
	case padded == n && len(sample) >= 4 && sample[0] == 0 && len(sample)%8 != 0:
		return Cache2k, true
	case n > 0 && padded == n && high > 1:
		return Cache2k, true
	}
	return "", false
}
