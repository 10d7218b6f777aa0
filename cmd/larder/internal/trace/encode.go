package trace

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// writable is a format that traces can be written in.
type writable struct {
	format Format
	keeps  byte // of the columns, the bits of the format larder
	encode func(*bufio.Writer, *Trace) error
}

var writables = []writable{
	{Larder, hasOps | hasTimes | hasSizes | hasTTLs, encodeLarder},
	{Compact, 0, func(w *bufio.Writer, t *Trace) error { return WriteCompact(w, t.IDs) }},
	{Text, 0, lineEncoder("k")},
	{LIRS, 0, lineEncoder("")},
	{ARC, 0, encodeARC},
	{Oracle, hasTimes | hasSizes, encodeOracle},
	{CSV, hasOps | hasTimes | hasSizes | hasTTLs, encodeCSV},
}

// Writable lists the formats that Encode writes, the fullest first.
func Writable() []Format {
	var all []Format
	for _, w := range writables {
		all = append(all, w.format)
	}
	return all
}

// WritableNames lists the names of Writable for a message.
func WritableNames() string {
	var names []string
	for _, f := range Writable() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func writableOf(f Format) (writable, error) {
	i := slices.IndexFunc(writables, func(w writable) bool { return w.format == f })
	if i < 0 {
		return writable{}, fmt.Errorf("traces cannot be written in the format %q; use one of %s", f, WritableNames())
	}
	return writables[i], nil
}

// Losses says what of a trace the format f does not keep: "times", "sizes",
// "TTLs" and "operations". What the keys were called is lost on reading.
func Losses(t *Trace, f Format) ([]string, error) {
	w, err := writableOf(f)
	if err != nil {
		return nil, err
	}
	var lost []string
	for _, c := range []struct {
		has  bool
		bit  byte
		name string
	}{{t.Times != nil, hasTimes, "times"}, {t.Sizes != nil, hasSizes, "sizes"}, {t.TTLs != nil, hasTTLs, "TTLs"}, {t.Ops != nil, hasOps, "operations"}} {
		if c.has && w.keeps&c.bit == 0 {
			lost = append(lost, c.name)
		}
	}
	return lost, nil
}

// Encode writes a trace to w in the format f, one of Writable, compressed as c
// says. An error is that of w, or says that the format or the compression cannot
// be written.
func Encode(w io.Writer, t *Trace, f Format, c Compression) error {
	target, err := writableOf(f)
	if err != nil {
		return err
	}
	packed, err := packer(w, c)
	if err != nil {
		return err
	}
	bw := bufio.NewWriterSize(packed, 64<<10)
	err = target.encode(bw, t)
	if err == nil {
		err = bw.Flush()
	}
	// A packer may hold goroutines, so it is closed in any case. After an error that
	// would only say the same again.
	if err1 := packed.Close(); err == nil {
		err = err1
	}
	return err
}

func packer(w io.Writer, c Compression) (io.WriteCloser, error) {
	switch c {
	case Plain:
		return nopCloser{w}, nil
	case Gzip:
		return gzip.NewWriter(w), nil
	case XZ:
		return xz.NewWriter(w)
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("unknown compression %q; use gzip, xz or zstd", c)
}

type nopCloser struct{ io.Writer }

// Close does nothing.
func (nopCloser) Close() error { return nil }

// lineEncoder writes an id a line, with a text before it.
func lineEncoder(before string) func(*bufio.Writer, *Trace) error {
	return func(w *bufio.Writer, t *Trace) error {
		var line []byte
		for _, id := range t.IDs {
			line = append(line[:0], before...)
			line = append(strconv.AppendUint(line, uint64(id), 10), '\n')
			if _, err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	}
}

// encodeARC writes ids that follow each other as one line.
func encodeARC(w *bufio.Writer, t *Trace) error {
	for i, line := 0, 0; i < len(t.IDs); line++ {
		n := 1
		for i+n < len(t.IDs) && n < maxRun && t.IDs[i+n] == t.IDs[i]+uint32(n) {
			n++
		}
		if _, err := fmt.Fprintf(w, "%d %d 0 %d\n", t.IDs[i], n, line); err != nil {
			return err
		}
		i += n
	}
	return nil
}

// encodeOracle gives an object of unknown size one byte, as libCacheSim passes
// over requests of none.
func encodeOracle(w *bufio.Writer, t *Trace) error {
	next := make([]int32, len(t.IDs))
	last := make([]int32, t.Unique) // the number of the request after this one, from 1
	for i := len(t.IDs) - 1; i >= 0; i-- {
		next[i] = last[t.IDs[i]]
		last[t.IDs[i]] = int32(i) + 1
	}
	var b [oracleSize]byte
	for i, id := range t.IDs {
		clear(b[:])
		if t.Times != nil {
			binary.LittleEndian.PutUint32(b[:], t.Times[i])
		}
		binary.LittleEndian.PutUint64(b[4:], uint64(id))
		size := uint32(1)
		if t.Sizes != nil {
			size = max(size, t.Sizes[i])
		}
		binary.LittleEndian.PutUint32(b[12:], size)
		after := int64(next[i])
		if after == 0 {
			after = -1
		}
		binary.LittleEndian.PutUint64(b[16:], uint64(after))
		if _, err := w.Write(b[:]); err != nil {
			return err
		}
	}
	return nil
}

// encodeCSV writes the columns that there are, below a header.
func encodeCSV(w *bufio.Writer, t *Trace) error {
	var line []byte
	header := func(has bool, name string) {
		if has {
			line = append(append(line, name...), ',')
		}
	}
	header(t.Times != nil, "time")
	header(true, "id")
	header(t.Sizes != nil, "size")
	header(t.Ops != nil, "op")
	header(t.TTLs != nil, "ttl")
	if len(line) == len("id,") {
		header(true, "op") // a header has two columns at least
	}
	line[len(line)-1] = '\n'
	onlyID := t.Times == nil && t.Sizes == nil && t.Ops == nil && t.TTLs == nil
	for i, id := range t.IDs {
		if _, err := w.Write(line); err != nil {
			return err
		}
		line = line[:0]
		number := func(column []uint32) {
			if column != nil {
				line = append(strconv.AppendUint(line, uint64(column[i]), 10), ',')
			}
		}
		number(t.Times)
		line = append(strconv.AppendUint(line, uint64(id), 10), ',')
		number(t.Sizes)
		if t.Ops != nil || onlyID {
			line = append(append(line, t.Op(i).String()...), ',')
		}
		number(t.TTLs)
		line[len(line)-1] = '\n'
	}
	_, err := w.Write(line)
	return err
}
