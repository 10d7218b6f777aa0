// Package trace reads cache request traces in the formats they are published
// in and turns them into dense ids, so that replaying one costs no hashing of
// the original keys.
//
// A trace is recognised by its content. File names play no part.
package trace

import (
	"bufio"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
)

// Default bounds on one trace. Both can be raised through Options.
const (
	// DefaultMaxRequests bounds the requests of one trace.
	DefaultMaxRequests = 50_000_000
	// DefaultMaxBytes bounds the bytes of one trace after decompression.
	DefaultMaxBytes = 1 << 30
	// MaxRequests is the highest bound that Options.MaxRequests can set.
	MaxRequests = math.MaxInt32
)

// sampleSize is how much of a trace, unpacked, is looked at to recognise it.
const sampleSize = 256 << 10

// Trace is a sequence of requests whose keys were numbered 0, 1, 2, ... in the
// order in which they first appear.
//
// Times, Sizes, TTLs and Ops are nil if the trace has none of them, and have one
// element per request otherwise. Each of the first three costs four bytes a
// request, Ops one.
type Trace struct {
	// IDs holds one id per request. It costs four bytes a request.
	IDs []uint32
	// Unique is the number of different ids.
	Unique int
	// Times are in seconds since the first request. They never fall.
	Times []uint32
	// Sizes are of the objects, key and value as far as the format knows, in
	// bytes; 0 is not known.
	Sizes []uint32
	// TTLs are how long the objects live, in seconds; 0 is without end or not
	// known. Many formats know them of writes alone.
	TTLs []uint32
	// Ops say what the requests do. A trace that only reads has none.
	Ops []Op
	// Format is the format the trace was read in.
	Format Format
	// Compression is Plain or the way the trace was compressed.
	Compression Compression
	// Guessed says that the format is no more than the likeliest one.
	Guessed bool
	// Doubts are what may be wrong with how the trace was read, and what was
	// left out, in words that follow "the trace: ".
	Doubts []string
}

// Op returns what request i does.
func (t *Trace) Op(i int) Op {
	if t.Ops == nil {
		return Read
	}
	return t.Ops[i]
}

// Options tells how to read a trace. The zero value recognises the format and
// applies the default bounds.
type Options struct {
	// Format forces a format; Auto or none recognises it by content.
	Format Format
	// MaxRequests bounds the requests; 0 stands for DefaultMaxRequests.
	MaxRequests int
	// MaxBytes bounds the unpacked bytes; 0 stands for DefaultMaxBytes.
	MaxBytes int64
}

// Open reads the trace in the file at path. Every failure but the end of ctx
// is an *Error naming the file.
func Open(ctx context.Context, path string, o Options) (*Trace, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fault("name the trace files in it", "is a directory").in(path)
	}
	return Parse(ctx, path, f, o)
}

// Parse reads a trace from r to its end; name stands for it in errors. Every
// failure but the end of ctx is an *Error. Memory grows with the bytes that
// really arrive, never with a count that the trace claims.
func Parse(ctx context.Context, name string, r io.Reader, o Options) (*Trace, error) {
	if o.Format == "" {
		o.Format = Auto
	}
	if o.MaxRequests <= 0 {
		o.MaxRequests = DefaultMaxRequests
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	t, err := parse(ctx, r, o)
	if e, ok := errors.AsType[*Error](err); ok {
		return nil, e.in(name)
	}
	return t, err
}

func parse(ctx context.Context, r io.Reader, o Options) (*Trace, error) {
	src, err := newSource(ctx, r, o.MaxBytes)
	if err != nil {
		return nil, err
	}
	defer src.close()
	br := bufio.NewReaderSize(src, sampleSize)
	sample, err := br.Peek(sampleSize)
	whole := err == io.EOF
	if err != nil && !whole {
		return nil, err
	}
	if len(sample) == 0 {
		return nil, fault("name a file that holds a trace", "is empty")
	}
	format, doubt := o.Format, ""
	if format == Auto {
		if format, doubt, err = recognise(sample, whole); err != nil {
			return nil, err
		}
	}
	parser, ok := parsers[format]
	if !ok {
		return nil, fault("use one of "+FormatNames(), "unknown format %q", format)
	}
	rec := &recorder{limit: min(o.MaxRequests, MaxRequests)}
	if doubt != "" {
		rec.doubt("%s", doubt)
	}
	if err := parser(br, rec); err != nil {
		return nil, err
	}
	if len(rec.ids) == 0 {
		return nil, fault("name a file that holds a trace", "holds no request")
	}
	t := rec.trace()
	t.Format, t.Compression, t.Guessed = format, src.compression, doubt != ""
	return t, nil
}

func openError(path string, err error) *Error {
	remedy := "check the file"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		remedy = "check the name"
	case errors.Is(err, fs.ErrPermission):
		remedy = "check the permissions"
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return fault(remedy, "cannot be opened: %v", err).in(path)
}
