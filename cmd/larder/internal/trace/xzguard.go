package trace

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

var errXZ = errors.New("malformed xz container")

// xzGuard passes an xz file through unchanged and stops before a block whose
// header claims a dictionary above maxWindow. The decoder would allocate it at
// once, up to four gigabytes for a file of a hundred bytes. It follows the
// structure of the container and leaves all other checks to the decoder.
type xzGuard struct {
	r     *bufio.Reader
	pass  int                       // bytes to hand on before the next step
	step  func(*xzGuard) error      // reads ahead and sets pass; nil at the start
	block int                       // bytes of the block so far, for its padding
	check int                       // size of the check after each block
	index struct{ bytes, left int } // index size so far and numbers still to come
}

// Read implements io.Reader.
func (g *xzGuard) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if g.step == nil {
		g.step = (*xzGuard).stream
	}
	for g.pass == 0 {
		if err := g.step(g); err != nil {
			return 0, err
		}
	}
	n, err := g.r.Read(p[:min(len(p), g.pass)])
	g.pass -= n
	return n, err
}

func (g *xzGuard) peek(n int) ([]byte, error) {
	head, err := g.r.Peek(n)
	if err == io.EOF && len(head) > 0 {
		err = io.ErrUnexpectedEOF
	}
	return head, err
}

func (g *xzGuard) stream() error {
	head, err := g.peek(4)
	if err != nil {
		return err
	}
	if binary.LittleEndian.Uint32(head) == 0 {
		g.pass = 4 // padding between streams
		return nil
	}
	if head, err = g.peek(12); err != nil {
		return err
	}
	sizes := map[byte]int{0: 0, 1: 4, 4: 8, 10: 32}
	size, ok := sizes[head[7]]
	if !ok {
		return errXZ
	}
	g.check = size
	g.pass, g.step = 12, (*xzGuard).header
	return nil
}

func (g *xzGuard) header() error {
	head, err := g.peek(1)
	if err != nil {
		return err
	}
	if head[0] == 0 {
		g.pass, g.step = 1, (*xzGuard).records
		g.index.bytes, g.index.left = 1, -1
		return nil
	}
	size := (int(head[0]) + 1) * 4
	if head, err = g.peek(size); err != nil {
		return err
	}
	if dictionary, ok := xzDictionary(head); !ok {
		return errXZ
	} else if dictionary > maxWindow {
		return windowFault(XZ)
	}
	g.block = size
	g.pass, g.step = size, (*xzGuard).chunk
	return nil
}

// xzDictionary finds the dictionary size in the header of a block whose only
// filter is LZMA2.
func xzDictionary(head []byte) (size uint64, ok bool) {
	flags, rest := head[1], head[2:]
	for _, present := range []byte{0x40, 0x80} {
		if flags&present != 0 {
			_, n := binary.Uvarint(rest)
			if n <= 0 {
				return 0, false
			}
			rest = rest[n:]
		}
	}
	if flags&0x3f != 0 || len(rest) < 3 || rest[0] != 0x21 || rest[1] != 1 || rest[2] > 40 {
		return 0, false
	}
	return uint64(2|rest[2]&1) << (rest[2]/2 + 11), true
}

func (g *xzGuard) chunk() error {
	head, err := g.peek(1)
	if err != nil {
		return err
	}
	switch control := head[0]; {
	case control == 0:
		g.pass = 1 + padding(g.block+1) + g.check
		g.step = (*xzGuard).header
		return nil
	case control <= 2:
		if head, err = g.peek(3); err != nil {
			return err
		}
		g.pass = 3 + int(binary.BigEndian.Uint16(head[1:])) + 1
	case control >= 0x80:
		if head, err = g.peek(5); err != nil {
			return err
		}
		g.pass = 5 + int(binary.BigEndian.Uint16(head[3:])) + 1
		if control >= 0xc0 {
			g.pass++
		}
	default:
		return errXZ
	}
	g.block += g.pass
	return nil
}

// records steps over the numbers of the index one by one, its first being the
// count of the pairs that follow.
func (g *xzGuard) records() error {
	if g.index.left == 0 {
		g.pass = padding(g.index.bytes) + 4 + 12
		g.step = (*xzGuard).stream
		return nil
	}
	head, _ := g.r.Peek(binary.MaxVarintLen64)
	x, n := binary.Uvarint(head)
	switch {
	case n == 0:
		return io.ErrUnexpectedEOF
	case n < 0 || g.index.left < 0 && x > 1<<30:
		return errXZ
	case g.index.left < 0:
		g.index.left = 2 * int(x)
	default:
		g.index.left--
	}
	g.index.bytes += n
	g.pass = n
	return nil
}

func padding(n int) int { return -n & 3 }
