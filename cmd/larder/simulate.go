package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/policy"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/simulate"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/spf13/cobra"
)

type simulateFlags struct {
	capacity, format string
	maxRequests      int
	maxBytes         int64
	workloads        []string
	keys, requests   int
	seed             uint64
	bytes, ignoreTTL bool
	out              string
}

func newSimulate() *cobra.Command {
	var flags simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate [FILE...]",
		Short: "Find hit ratios by capacity, of traces and of made-up workloads",
		Long: `Simulate replays request traces, or requests made up by --workload, and finds at
many capacities the share of the reads that a cache answers (get; on a miss,
insert) under LRU, under each policy of the store in memory (memstore is its
default) and under the optimum that knows the future, and the gaps to that. It
prints tables, and writes curves and all figures to --out.

Traces may be plain or compressed with gzip, xz or zstd. Compression and format
are recognised by content:

` + traceFormats + `
To see what is in a trace, and how sure its format is, use larder trace info.

In traces that know such things, writes store and deletes remove without being
counted, and entries expire in the time of the trace. With --bytes, objects take
their sizes of the capacity, and hits are also counted by bytes.`,
		Example: `  larder simulate oltp.lis.gz
  larder simulate --capacity 1000,5% --out oltp *.trace.gz
  larder simulate --workload zipf:0.8,zipf:0.99+onehit:0.3 --keys 1000000`,
		RunE: func(cmd *cobra.Command, args []string) error { return runSimulate(cmd, flags, args) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.capacity, "capacity", policy.Auto, fmt.Sprintf(
		"comma-separated `list` of entries (with --bytes, of bytes such as 64MB) or shares of the unique keys (or of their bytes); a share stands for %d entries at least. auto is 0.01%% to 30%%, as a curve", policy.LeastShare))
	f.StringVar(&flags.format, "format", string(trace.Auto), "read all files in this `format`: "+trace.FormatNames())
	f.IntVar(&flags.maxRequests, "max-requests", trace.DefaultMaxRequests, "refuse traces of more requests")
	f.Int64Var(&flags.maxBytes, "max-bytes", trace.DefaultMaxBytes, "refuse traces of more bytes when unpacked")
	f.StringSliceVar(&flags.workloads, "workload", nil, "also make up requests by these `popularities` of keys: "+workload.PopularitySyntax)
	f.IntVar(&flags.keys, "keys", 100_000, "keys of a --workload")
	f.IntVar(&flags.requests, "requests", 1_000_000, "requests of a --workload")
	f.Uint64Var(&flags.seed, "seed", 1, "the same seed gives the same requests of a --workload")
	f.BoolVar(&flags.bytes, "bytes", false, "let objects take their sizes of the capacity; for traces that know them")
	f.BoolVar(&flags.ignoreTTL, "ignore-ttl", false, "let no entry expire")
	f.StringVar(&flags.out, "out", "larder-out", "`directory` for the results")
	return cmd
}

// sources returns those that the flags and arguments name, and an error that names the
// first that makes no sense.
func (f *simulateFlags) sources(files []string) (all []simulate.Source, o simulate.Options, err error) {
	format, err := trace.ParseFormat(f.format)
	if err != nil {
		return nil, o, usageError("--format: %w", err)
	}
	o.Options = policy.Options{Bytes: f.bytes, IgnoreTTL: f.ignoreTTL}
	if o.Capacities, err = policy.ParseCapacities(f.capacity, f.bytes); err != nil {
		return nil, o, usageError("--capacity: %w", err)
	}
	switch {
	case len(files) == 0 && len(f.workloads) == 0:
		return nil, o, usageError("simulate needs a trace file or a --workload; see larder simulate --help")
	case len(f.workloads) > 0 && f.bytes:
		return nil, o, usageError("--bytes is for traces that know sizes: a --workload has none")
	case f.maxRequests < 1 || f.maxRequests > trace.MaxRequests:
		return nil, o, usageError("--max-requests must be from 1 to %d", trace.MaxRequests)
	case f.maxBytes < 1:
		return nil, o, usageError("--max-bytes must be 1 at least")
	case f.keys < 1 || f.keys > maxSimulated:
		return nil, o, usageError("--keys is %d: it must be from 1 to %d", f.keys, maxSimulated)
	case f.requests < 1 || f.requests > maxSimulated:
		return nil, o, usageError("--requests is %d: it must be from 1 to %d", f.requests, maxSimulated)
	case f.out == "":
		return nil, o, usageError("--out is empty: it must name a directory")
	}
	for _, path := range files {
		all = append(all, simulate.File(path, oneLine(path), trace.Options{Format: format, MaxRequests: f.maxRequests, MaxBytes: f.maxBytes}))
	}
	for _, text := range f.workloads {
		p, err := workload.ParsePopularity(text)
		if err != nil {
			return nil, o, usageError("--workload: %w", err)
		}
		all = append(all, simulate.Generated(p, f.keys, f.requests, f.seed))
	}
	return all, o, nil
}

// maxSimulated bounds the keys and the requests of a workload, which take some 20 bytes
// each.
const maxSimulated = 100_000_000

func runSimulate(cmd *cobra.Command, flags simulateFlags, files []string) error {
	sources, o, err := flags.sources(files)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	d := newDocument("Hit ratios by capacity", flags.seed, server.Info{})
	s := simulate.Start(ctx, sources, o)
	meter := progress.New(cmd.ErrOrStderr(), []progress.Step{{Name: "simulate"}})
	meter.Next(s.Reading)
	var bad []string
	var runErr error
	for _, f := range s.Outcomes {
		select {
		case <-f.Done():
			runErr = f.Err
		case <-ctx.Done(): // a file may be a pipe whose read never ends
			if runErr = ctx.Err(); f.Complete() {
				runErr = f.Err
			}
		}
		if e, ok := errors.AsType[*trace.Error](runErr); ok {
			bad, runErr = append(bad, e.Error()), nil
			continue
		}
		if runErr != nil {
			break
		}
		d.Sections = append(d.Sections, f.Section())
	}
	meter.Stop()
	for _, message := range bad {
		io.WriteString(cmd.ErrOrStderr(), errorLine(message))
	}
	if n := len(d.Sections); n > 0 && len(bad) > 0 {
		text := fmt.Sprintf("%d of %d traces could not be used: %s", len(bad), len(sources), oneLine(strings.Join(bad, "; ")))
		d.Sections[n-1].Notes = append(d.Sections[n-1].Notes, results.Note{Level: results.Warn, Text: text})
	}
	if len(bad) > 0 && runErr == nil {
		runErr = &exitError{code: exitUsage} // said already
	}
	out := &checkedWriter{w: cmd.OutOrStdout()}
	cmd.SetOut(out)
	err = publish(cmd, outputs{out: flags.out, repeat: 1}, d, runErr)
	return cmp.Or(out.err, err)
}

// checkedWriter keeps the first error of a writer.
type checkedWriter struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (c *checkedWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.err = cmp.Or(c.err, err)
	return n, err
}
