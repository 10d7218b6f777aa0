package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"

	"github.com/larder-cache/larder/cmd/larder/internal/policy"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// replaySchema names the layout of the JSON report. Fields may be added under
// the same name; any other change gives it a new number.
const replaySchema = "larder.replay/1"

// replayReport is the JSON report of one run, files in argument order.
type replayReport struct {
	Schema  string        `json:"schema"`
	Version string        `json:"larder_version"`
	Files   []*replayFile `json:"files"`
}

// replayFile is the outcome for one trace: either Error or all else is set.
type replayFile struct {
	File        string         `json:"file"`
	Error       string         `json:"error,omitempty"`
	Format      string         `json:"format,omitempty"`
	Compression string         `json:"compression,omitempty"`
	Requests    int            `json:"requests,omitempty"`
	UniqueKeys  int            `json:"unique_keys,omitempty"`
	Results     []replayResult `json:"results,omitempty"`

	err  error
	done chan struct{}
}

// replayResult holds the outcome of every policy at one capacity.
type replayResult struct {
	Capacity int            `json:"capacity"`
	Policies []replayPolicy `json:"policies"`
}

// replayPolicy is the outcome of one policy. The ratios are shares of one; Gap
// is what is missing to the optimum.
type replayPolicy struct {
	Policy   string  `json:"policy"`
	Hits     int     `json:"hits"`
	HitRatio float64 `json:"hit_ratio"`
	Gap      float64 `json:"gap"`
}

type replayFlags struct {
	capacity, format, json string
	maxRequests            int
	maxBytes               int64
}

func newReplay() *cobra.Command {
	var flags replayFlags
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Compare eviction policies on request traces",
		Long: `Replay reads request traces and prints, for several capacities, the share of
requests that a read-through cache answers (get; on a miss, insert) under LRU,
under each policy of the store in memory (memstore is its default) and under the
optimum that knows the future, and the gaps to that.

Traces may be plain or compressed with gzip, xz or zstd. Compression and format
are recognised by content:

  arc      text, "start count ignored sequence" a line
  lirs     text, one decimal key a line; a line "*" marks a phase
  text     one key a line, any text
  cache2k  big-endian 32-bit keys
  corda    big-endian 64-bit keys
  compact  unsigned varints: the number of requests, then 0 for each new key
           or 1 plus the id of a known one

The two binary formats have no header, so telling them apart is a guess: check
the table, and name the --format if it is wrong.`,
		Example: `  larder replay oltp.lis.gz
  larder replay --capacity 1000,5% --json report.json *.trace.gz`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("replay needs a trace file")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runReplay(cmd, flags, args) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.capacity, "capacity", policy.CustomaryCapacities, fmt.Sprintf(
		"comma-separated `list` of entries or shares of the unique keys; a share stands for %d entries at least", policy.LeastShare))
	f.StringVar(&flags.format, "format", string(trace.Auto), "read all files in this `format`: "+trace.FormatNames())
	f.StringVar(&flags.json, "json", "", "also write the results as JSON to this `file`; - writes them to standard output in place of the tables")
	f.IntVar(&flags.maxRequests, "max-requests", trace.DefaultMaxRequests, "refuse traces of more requests")
	f.Int64Var(&flags.maxBytes, "max-bytes", trace.DefaultMaxBytes, "refuse traces of more bytes when unpacked")
	return cmd
}

func runReplay(cmd *cobra.Command, flags replayFlags, files []string) error {
	format, err := trace.ParseFormat(flags.format)
	if err != nil {
		return usageError("--format: %w", err)
	}
	capacities, err := policy.ParseCapacities(flags.capacity)
	if err != nil {
		return usageError("--capacity: %w", err)
	}
	if flags.maxRequests < 1 || flags.maxRequests > trace.MaxRequests {
		return usageError("--max-requests must be from 1 to %d", trace.MaxRequests)
	}
	if flags.maxBytes < 1 {
		return usageError("--max-bytes must be 1 at least")
	}
	stdout, stderr := cmd.OutOrStdout(), cmd.ErrOrStderr()
	r := &replayer{
		options:    trace.Options{Format: format, MaxRequests: flags.maxRequests, MaxBytes: flags.maxBytes},
		capacities: capacities,
		policies:   policy.Catalog(),
		processors: make(chan struct{}, runtime.GOMAXPROCS(0)),
		progress:   newReplayProgress(stderr, len(files)),
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	report := replayReport{Schema: replaySchema, Version: versionName(), Files: r.start(ctx, files)}
	defer cancel()
	defer r.progress.stop()

	failed := false
	for i, f := range report.Files {
		select {
		case <-f.done:
		case <-ctx.Done(): // a file may be a pipe whose read never ends
			return ctx.Err()
		}
		r.progress.hide()
		bad, isBad := errors.AsType[*trace.Error](f.err)
		switch {
		case isBad:
			failed = true
			f.Error = oneLine(bad.Error())
			_, err = io.WriteString(stderr, errorLine(bad.Error()))
		case f.err != nil:
			return f.err
		case flags.json != "-":
			_, err = stdout.Write(f.table(i > 0))
		}
		if err != nil {
			return err
		}
	}
	if flags.json != "" {
		if err := report.write(flags.json, stdout); err != nil {
			return err
		}
	}
	if failed {
		return &exitError{code: exitUsage}
	}
	return nil
}

// replayer replays traces on as many processors as there are tokens. Only that
// many traces are in memory at a time.
type replayer struct {
	options    trace.Options
	capacities []policy.Capacity
	policies   []policy.Kind
	processors chan struct{}
	progress   *replayProgress
}

// start begins the work on all paths in order. Each file's done channel closes
// when its outcome is complete.
func (r *replayer) start(ctx context.Context, paths []string) []*replayFile {
	files := make([]*replayFile, len(paths))
	for i, path := range paths {
		files[i] = &replayFile{File: path, done: make(chan struct{})}
	}
	open := make(chan struct{}, cap(r.processors))
	go func() {
		for _, f := range files {
			open <- struct{}{}
			go func() {
				f.err = r.replay(ctx, f)
				r.progress.fileDone()
				close(f.done)
				<-open
			}()
		}
	}()
	return files
}

func (r *replayer) replay(ctx context.Context, f *replayFile) error {
	r.processors <- struct{}{}
	t, err := trace.Open(ctx, f.File, r.options)
	if err != nil {
		<-r.processors
		return err
	}
	next := policy.FindNextUse(t.IDs, t.Unique)
	<-r.processors

	f.Format, f.Compression = string(t.Format), string(t.Compression)
	f.Requests, f.UniqueKeys = len(t.IDs), t.Unique
	var runs sync.WaitGroup
	var failure atomic.Pointer[error]
	for _, capacity := range policy.EntriesOf(r.capacities, t.Unique) {
		outcomes := make([]replayPolicy, len(r.policies))
		f.Results = append(f.Results, replayResult{capacity, outcomes})
		for i, kind := range r.policies {
			runs.Go(func() {
				r.processors <- struct{}{}
				defer func() { <-r.processors }()
				hits, err := policy.Replay(ctx, kind, policy.Setup{Capacity: capacity, Next: next}, t.IDs)
				if err != nil {
					failure.CompareAndSwap(nil, &err)
				}
				outcomes[i] = replayPolicy{Policy: kind.Name, Hits: hits, HitRatio: float64(hits) / float64(len(t.IDs))}
				r.progress.runDone()
			})
		}
	}
	runs.Wait()
	if err := failure.Load(); err != nil {
		return fmt.Errorf("%s: %w", f.File, *err)
	}
	for _, result := range f.Results {
		best := result.Policies[len(result.Policies)-1]
		for i, p := range result.Policies {
			result.Policies[i].Gap = float64(best.Hits-p.Hits) / float64(len(t.IDs))
		}
	}
	return nil
}

// table renders the outcome: a line about the trace, then one for each
// capacity.
func (f *replayFile) table(separate bool) []byte {
	var b bytes.Buffer
	if separate {
		b.WriteByte('\n')
	}
	kind := f.Format
	if f.Compression != "" {
		kind += " in " + f.Compression
	}
	fmt.Fprintf(&b, "%s: %s, %d requests, %d unique keys\n", oneLine(f.File), kind, f.Requests, f.UniqueKeys)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "capacity\t")
	first := f.Results[0].Policies
	for _, p := range first {
		fmt.Fprintf(w, "%s %%\t", p.Policy)
	}
	for _, p := range first[:len(first)-1] {
		fmt.Fprintf(w, "%s gap\t", p.Policy)
	}
	for _, result := range f.Results {
		fmt.Fprintf(w, "\n%d\t", result.Capacity)
		for _, p := range result.Policies {
			fmt.Fprintf(w, "%.2f\t", 100*p.HitRatio)
		}
		for _, p := range result.Policies[:len(first)-1] {
			fmt.Fprintf(w, "%.2f\t", 100*p.Gap)
		}
	}
	fmt.Fprintln(w)
	w.Flush()
	return b.Bytes()
}

func (r *replayReport) write(path string, stdout io.Writer) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	data = append(data, '\n')
	if path == "-" {
		_, err = stdout.Write(data)
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

// replayProgress keeps one line about the work on a terminal. On anything else
// it is silent.
type replayProgress struct {
	mu                sync.Mutex
	w                 io.Writer
	dim, plain        string // escape sequences around the line, if any
	files, done, runs int
	shown             int // width of the line on the screen
}

func newReplayProgress(w io.Writer, files int) *replayProgress {
	p := &replayProgress{w: io.Discard, files: files}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.w = w
	}
	if os.Getenv("NO_COLOR") == "" {
		p.dim, p.plain = "\x1b[2m", "\x1b[0m"
	}
	p.show()
	return p
}

func (p *replayProgress) fileDone() { p.update(&p.done) }

func (p *replayProgress) runDone() { p.update(&p.runs) }

func (p *replayProgress) update(count *int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*count++
	p.show()
}

func (p *replayProgress) show() {
	line := fmt.Sprintf("%d of %d files, %d replays done", p.done, p.files, p.runs)
	fmt.Fprintf(p.w, "\r%s%s%s", p.dim, line, p.plain)
	p.shown = len(line)
}

// hide removes the line, so that other output can take its place.
func (p *replayProgress) hide() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown > 0 {
		fmt.Fprintf(p.w, "\r%s\r", strings.Repeat(" ", p.shown))
		p.shown = 0
	}
}

// stop removes the line for good.
func (p *replayProgress) stop() {
	p.hide()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.w = io.Discard
}
