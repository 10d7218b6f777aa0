package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/survey"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/spf13/cobra"
)

// traceSchema names the layout of the JSON of larder trace info. Fields may be added
// under the same name; any other change gives it a new number.
const traceSchema = "larder.trace/1"

// traceReport is the JSON of larder trace info, files in argument order.
type traceReport struct {
	Schema  string       `json:"schema"`
	Version string       `json:"larder_version"`
	Files   []*traceFile `json:"files"`
}

// traceFile is what is known of one trace: either Error or all else is set.
type traceFile struct {
	File        string   `json:"file"`
	Error       string   `json:"error,omitempty"`
	Format      string   `json:"format,omitempty"`
	Recognised  string   `json:"recognised,omitempty"` // how; see the constants
	Compression string   `json:"compression,omitempty"`
	Doubts      []string `json:"doubts,omitempty"`
	*survey.Survey
}

// How the format of a trace became known.
const (
	byContent = "content"
	byGuess   = "guess"
	byFlag    = "flag"
)

func newTraceInfo() *cobra.Command {
	var (
		reading traceReading
		toJSON  string
	)
	cmd := &cobra.Command{
		Use:   "info FILE...",
		Short: "Say what is in traces",
		Long: `Info says in what format traces are, and how sure that is; how many requests and
keys they have, over what time, of what size and with what TTLs; how popular the
popular keys are; and how many other keys come between two requests of a key.

The zipf exponent is that of a line through the logarithms of ranks and requests,
by least squares over ranks that grow by the factor 1.41, as far as keys have ten
requests. Where the fit is below some 90%, keys do not follow a zipf distribution.
More than four million requests have their reuse distances from a sample of keys.`,
		Example: `  larder trace info *.trc.gz
  larder trace info --json - cluster52.zst`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := reading.options()
			if err != nil {
				return err
			}
			return traceInfo(cmd, args, options, toJSON)
		},
	}
	reading.flags(cmd.Flags())
	cmd.Flags().StringVar(&toJSON, "json", "", "also write what was found as JSON to this `file`; - writes it to standard output in place of the text")
	return cmd
}

// traceInfo looks into one file after another. Those that cannot be read do not keep
// it from the others.
func traceInfo(cmd *cobra.Command, files []string, o trace.Options, toJSON string) error {
	stdout := cmd.OutOrStdout()
	report := traceReport{Schema: traceSchema, Version: versionName()}
	failed := false
	for _, path := range files {
		f, err := lookInto(cmd.Context(), path, cmd.InOrStdin(), o)
		if bad, ok := errors.AsType[*trace.Error](err); ok {
			failed = true
			f = &traceFile{File: path, Error: oneLine(bad.Error())}
			_, err = io.WriteString(cmd.ErrOrStderr(), errorLine(bad.Error()))
		} else if err == nil && toJSON != standardStream {
			f.section().Text(stdout)
		}
		if err != nil {
			return err
		}
		report.Files = append(report.Files, f)
	}
	if toJSON != "" {
		data, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return err
		}
		data = append(data, '\n')
		if toJSON == standardStream {
			_, err = stdout.Write(data)
		} else {
			err = os.WriteFile(toJSON, data, 0o666)
		}
		if err != nil {
			return fmt.Errorf("--json: %s cannot be written: %w; make room, or name another file", toJSON, cause(err))
		}
	}
	if failed {
		return &exitError{code: exitUsage}
	}
	return nil
}

func lookInto(ctx context.Context, path string, stdin io.Reader, o trace.Options) (*traceFile, error) {
	t, err := readTrace(ctx, path, stdin, o)
	if err != nil {
		return nil, err
	}
	f := &traceFile{File: path, Format: string(t.Format), Recognised: byContent, Compression: string(t.Compression), Doubts: t.Doubts}
	switch {
	case o.Format != trace.Auto:
		f.Recognised = byFlag
	case t.Guessed:
		f.Recognised = byGuess
	}
	f.Survey, err = survey.Of(ctx, t)
	return f, err
}

// section renders what is known for people.
func (f *traceFile) section() *results.Section {
	s := &results.Section{Title: oneLine(streamName(f.File, "standard input"))}
	fact := func(name, format string, args ...any) {
		s.Facts = append(s.Facts, results.Fact{Name: name, Value: fmt.Sprintf(format, args...)})
	}
	count := func(n int) string { return results.Amount(float64(n)) }
	share := results.Ratio.Format
	size := func(n uint64) string { return results.Bytes.Format(float64(n)) }
	long := func(seconds uint32) string { return (time.Duration(seconds) * time.Second).String() }

	how := map[string]string{byContent: "recognised by content", byGuess: "a guess", byFlag: "as --format says"}[f.Recognised]
	fact("format", "%s, %s", f.Format, how)
	if f.Compression != "" {
		fact("compression", "%s", f.Compression)
	}
	fact("requests", "%s", count(f.Requests))
	fact("unique keys", "%s", count(f.UniqueKeys))
	if f.SpanSeconds != nil {
		rate := ""
		if *f.SpanSeconds > 0 {
			rate = ", " + results.PerSecond.Format(float64(f.Requests)/float64(*f.SpanSeconds))
		}
		fact("span of time", "%s%s", long(*f.SpanSeconds), rate)
	}
	all := float64(max(f.Requests, 1))
	fact("operations", "%s reads, %s writes, %s deletes", share(float64(f.Reads)/all), share(float64(f.Writes)/all), share(float64(f.Deletes)/all))
	fact("one-hit wonders", "%s of the keys are requested once", share(f.OneHitWonders))
	fact("top key", "%s requests, %s", results.Amount(math.Round(f.TopKey*all)), share(f.TopKey))
	if p := f.Popularity; p != nil {
		fact("zipf exponent", "%.2f, fit %s over %s ranks", p.Exponent, share(p.Fit), count(p.Ranks))
	} else {
		fact("zipf exponent", "too few keys have ten requests")
	}
	if r := f.Reuse; r != nil {
		sampled := ""
		if r.Sampled < 1 {
			sampled = ", of a sample of " + share(r.Sampled) + " of the keys"
		}
		fact("reuse distance", "median %s other keys, mean %s%s", count(r.Median), results.Amount(r.Mean), sampled)
	}
	if z := f.Sizes; z != nil {
		fact("sizes", "median %s, p99 %s, max %s; known in %s of the requests", size(uint64(z.Median)), size(uint64(z.P99)), size(uint64(z.Max)), share(float64(z.Known)/all))
		fact("working set", "%s in %s keys; %s requested", size(z.WorkingSet), count(f.UniqueKeys), size(z.Requested))
	} else {
		fact("working set", "%s keys of unknown size", count(f.UniqueKeys))
	}
	if l := f.TTLs; l != nil {
		fact("TTLs", "%s to %s, median %s; in %s of the requests", long(l.Min), long(l.Max), long(l.Median), share(float64(l.Requests)/all))
	}
	for _, d := range f.Doubts {
		s.Notes = append(s.Notes, results.Note{Level: results.Warn, Text: oneLine(d)})
	}
	return s
}
