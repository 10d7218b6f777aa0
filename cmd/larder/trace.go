package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func newTrace() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace",
		Short: "Look into request traces, convert them and make them up",
		Long: `Traces may be plain or compressed with gzip, xz or zstd. Compression and format
are recognised by content:

` + traceFormats + `
A file name of - is standard input, or standard output.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newTraceInfo(), newTraceConvert(), newTraceGen())
	return cmd
}

// traceFormats says what the formats are, a line each.
const traceFormats = `  larder         our own: keys, operations, times, sizes and TTLs, with a checksum
  arc            text, "start count ignored sequence" a line
  lirs           text, one decimal key a line; a line "*" marks a phase
  text           one key a line, any text
  lrb            text, "time id size" in numbers a line
  wikibench      text, "counter unix-time URL flag" a line
  monitor        what redis-cli MONITOR prints
  twitter        CSV, "timestamp,key,key size,value size,client,operation,TTL"
  cachelib       CSV whose header has key, op and size
  csv            CSV whose header has key or id, and perhaps time, size, op, ttl
  oracleGeneral  records of libCacheSim of 24 bytes
  twrBin         records of libCacheSim of 20 bytes
  lcs            libCacheSim's own, with a header
  cache2k        big-endian 32-bit keys
  corda          big-endian 64-bit keys; also called scarab
  compact        unsigned varints: the number of requests, then 0 for each new
                 key or 1 plus the id of a known one
`

// standardStream is the name of a file that stands for standard input or output.
const standardStream = "-"

// streamName returns the name of a file, or that of the standard stream that it
// stands for.
func streamName(path, stream string) string {
	if path == standardStream {
		return stream
	}
	return path
}

// traceReading are the flags of all commands that read traces.
type traceReading struct {
	format      string
	maxRequests int
	maxBytes    int64
}

func (r *traceReading) flags(f *pflag.FlagSet) {
	f.StringVar(&r.format, "format", string(trace.Auto), "read in this `format`: "+trace.FormatNames())
	f.IntVar(&r.maxRequests, "max-requests", trace.DefaultMaxRequests, "refuse traces of more requests")
	f.Int64Var(&r.maxBytes, "max-bytes", trace.DefaultMaxBytes, "refuse traces of more bytes when unpacked")
}

// options returns an error that names the first flag that makes no sense.
func (r *traceReading) options() (o trace.Options, err error) {
	if o.Format, err = trace.ParseFormat(r.format); err != nil {
		return o, usageError("--format: %w", err)
	}
	if r.maxRequests < 1 || r.maxRequests > trace.MaxRequests {
		return o, usageError("--max-requests must be from 1 to %d", trace.MaxRequests)
	}
	if r.maxBytes < 1 {
		return o, usageError("--max-bytes must be 1 at least")
	}
	o.MaxRequests, o.MaxBytes = r.maxRequests, r.maxBytes
	return o, nil
}

// readTrace reads a trace from a file or from stdin. It does not wait for a read
// that never ends, as that of a pipe, once ctx is done.
func readTrace(ctx context.Context, path string, stdin io.Reader, o trace.Options) (*trace.Trace, error) {
	type outcome struct {
		t   *trace.Trace
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var t *trace.Trace
		var err error
		if path == standardStream {
			t, err = trace.Parse(ctx, "standard input", stdin, o)
		} else {
			t, err = trace.Open(ctx, path, o)
		}
		done <- outcome{t, err}
	}()
	select {
	case got := <-done:
		return got.t, got.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// kindOf names the format and the compression of a trace.
func kindOf(t *trace.Trace) string {
	kind := string(t.Format)
	if t.Compression != trace.Plain {
		kind += " in " + string(t.Compression)
	}
	return kind
}

// traceWriting are the flags of all commands that write traces.
type traceWriting struct {
	to, compress string
	force        bool
}

func (w *traceWriting) flags(f *pflag.FlagSet) {
	f.StringVar(&w.to, "to", string(trace.Larder), "write in this `format`: "+trace.WritableNames())
	f.StringVar(&w.compress, "compress", "", "`compress` with gzip, xz or zstd, or none (default: as the name ends, in .gz, .xz or .zst)")
	f.BoolVar(&w.force, "force", false, "replace a file that is there")
}

// target returns what the flags say for a file of that name.
func (w *traceWriting) target(name string) (f trace.Format, c trace.Compression, err error) {
	if f, err = trace.ParseFormat(w.to); err == nil {
		_, err = trace.Losses(&trace.Trace{}, f)
	}
	if err != nil {
		return f, c, usageError("--to: %w", err)
	}
	switch w.compress {
	case "none":
	case string(trace.Gzip), string(trace.XZ), string(trace.Zstd):
		c = trace.Compression(w.compress)
	case "":
		for suffix, by := range map[string]trace.Compression{".gz": trace.Gzip, ".xz": trace.XZ, ".zst": trace.Zstd} {
			if strings.HasSuffix(name, suffix) {
				c = by
			}
		}
	default:
		return f, c, usageError("--compress is %q: it must be gzip, xz, zstd or none", w.compress)
	}
	return f, c, nil
}

// write writes a trace and says what came of it: on stdout, or on stderr if the
// trace itself goes to stdout.
func (w *traceWriting) write(cmd *cobra.Command, t *trace.Trace, path string, f trace.Format, c trace.Compression) error {
	lost, err := trace.Losses(t, f)
	if err != nil {
		return err
	}
	out := output{path: path, force: w.force, stdout: cmd.OutOrStdout()}
	size, err := out.write(cmd.Context(), func(to io.Writer) error { return trace.Encode(to, t, f, c) })
	if err != nil {
		return err
	}
	said := cmd.OutOrStdout()
	if path == standardStream {
		said = cmd.ErrOrStderr()
	}
	path = streamName(path, "standard output")
	kind := kindOf(&trace.Trace{Format: f, Compression: c})
	line := fmt.Sprintf("%s: %s, %d requests, %d unique keys, %d bytes", oneLine(path), kind, len(t.IDs), t.Unique, size)
	if len(lost) > 0 {
		line += "; lost: " + strings.Join(lost, ", ")
	}
	_, err = fmt.Fprintln(said, line)
	return err
}
