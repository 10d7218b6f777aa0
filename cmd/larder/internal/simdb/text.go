package simdb

import "math/rand/v2"

// Text returns the text of rows: of so many bytes each, of which a part, from 0 to 1,
// says nothing that the others do not say, so that a compressor finds it. The texts are
// cut from one, which is as long as the longest and a megabyte more.
func Text(seed uint64, size func(id uint32) int, longest int, compressible float64) func(id uint32) string {
	const word, spare = 32, 1 << 20
	rng := rand.New(rand.NewPCG(seed, uint64(longest)))
	all := make([]byte, longest+spare)
	const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	for at := 0; at < len(all); at += word {
		part := all[at:min(at+word, len(all))]
		same := rng.Float64() < compressible
		for i := range part {
			if same {
				part[i] = 'e'
			} else {
				part[i] = letters[rng.Uint32()%64]
			}
		}
	}
	text := string(all)
	return func(id uint32) string {
		n := min(size(id), longest)
		from := int(uint64(id) * 2654435761 % spare)
		return text[from : from+n]
	}
}
