package trace

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// maxWindow bounds the look-back window of a compressed trace, which decoders
// allocate as a whole. It is what the strongest ordinary settings of xz and
// zstd ask for.
const maxWindow = 128 << 20

// Compression names how a trace was compressed.
type Compression string

// The compressions a trace can come in.
const (
	// Plain is no compression.
	Plain Compression = ""
	// Gzip is told by its magic bytes 1f 8b.
	Gzip Compression = "gzip"
	// XZ is told by its magic bytes fd 37 7a 58 5a.
	XZ Compression = "xz"
	// Zstd is told by its magic bytes 28 b5 2f fd.
	Zstd Compression = "zstd"
)

var compressionMagic = []struct {
	magic       string
	compression Compression
}{
	{"\x1f\x8b", Gzip},
	{"\xfd7zXZ", XZ},
	{"\x28\xb5\x2f\xfd", Zstd},
}

func compressionOf(head []byte) Compression {
	for _, m := range compressionMagic {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.compression
		}
	}
	return Plain
}

// source yields the unpacked bytes of a trace up to a bound. It ends with ctx,
// and its errors but io.EOF and those of ctx are *Error.
type source struct {
	ctx         context.Context
	compression Compression
	unpacked    io.Reader
	close       func()
	limit       int64
	left        int64
}

func newSource(ctx context.Context, r io.Reader, limit int64) (*source, error) {
	packed := bufio.NewReaderSize(r, 64<<10)
	head, err := packed.Peek(8)
	if err != nil && err != io.EOF {
		return nil, fault("check the file", "cannot be read: %v", err)
	}
	s := &source{ctx: ctx, compression: compressionOf(head), unpacked: packed, close: func() {}, limit: limit, left: limit}
	if err := s.unpack(packed); err != nil {
		return nil, s.fault(err)
	}
	return s, nil
}

func (s *source) unpack(packed *bufio.Reader) (err error) {
	defer recoverDecoder(&err)
	switch s.compression {
	case Gzip:
		s.unpacked, err = gzip.NewReader(packed)
	case XZ:
		s.unpacked, err = xz.NewReader(&xzGuard{r: packed})
	case Zstd:
		var z *zstd.Decoder
		z, err = zstd.NewReader(packed, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		if err == nil {
			s.unpacked, s.close = z, z.Close
		}
	}
	return err
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	if int64(len(p)) > s.left+1 {
		p = p[:s.left+1]
	}
	n, err := s.decode(p)
	if s.left -= int64(n); s.left < 0 {
		return 0, fault("cut the trace or raise --max-bytes", "unpacks to more than %d bytes", s.limit)
	}
	if err != nil && err != io.EOF {
		err = s.fault(err)
	}
	return n, err
}

func (s *source) decode(p []byte) (n int, err error) {
	defer recoverDecoder(&err)
	return s.unpacked.Read(p)
}

func (s *source) fault(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if s.compression == Plain {
		return fault("check the file", "cannot be read: %v", err)
	}
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault("fetch it again", "is truncated: its %s data ends early", s.compression)
	}
	if errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return windowFault(s.compression)
	}
	return fault("fetch it again", "is corrupt: its %s data cannot be unpacked (%v)", s.compression, err)
}

func windowFault(c Compression) *Error {
	return fault("compress it again at an ordinary level", "needs a %s window of more than %d bytes", c, maxWindow)
}

// recoverDecoder turns a panic of a decoder, which is foreign code fed with
// foreign bytes, into an error.
func recoverDecoder(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("decoder failed: %v", p)
	}
}
