package main

import (
	"fmt"

	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/spf13/cobra"
)

func newTraceConvert() *cobra.Command {
	var (
		reading traceReading
		writing traceWriting
	)
	cmd := &cobra.Command{
		Use:   "convert IN OUT",
		Short: "Write a trace in another format",
		Long: `Convert reads a trace in any format and writes it in another. Keys are numbered by
first appearance; what they were called is gone, which also makes traces of
private keys fit to be passed on. It says what else the format does not keep.

OUT is written as a whole or not at all.`,
		Example: `  larder trace convert cluster52.zst cluster52.trc.zst
  timeout 60 redis-cli MONITOR | larder trace convert - minute.trc.gz
  larder trace convert --to oracleGeneral minute.trc.gz minute.oracleGeneral.zst`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := reading.options()
			if err != nil {
				return err
			}
			in, out := args[0], args[1]
			format, compression, err := writing.target(out)
			if err != nil {
				return err
			}
			if err := (output{path: out, force: writing.force}).check(); err != nil {
				return err
			}
			t, err := readTrace(cmd.Context(), in, cmd.InOrStdin(), options)
			if err != nil {
				return badTrace(err)
			}
			for _, d := range t.Doubts {
				fmt.Fprintf(cmd.ErrOrStderr(), "larder: note: %s: %s\n", oneLine(streamName(in, "standard input")), oneLine(d))
			}
			return writing.write(cmd, t, out, format, compression)
		},
	}
	reading.flags(cmd.Flags())
	writing.flags(cmd.Flags())
	return cmd
}

// badTrace gives the error of a trace that cannot be read the exit code of bad
// input.
func badTrace(err error) error {
	if bad, ok := err.(*trace.Error); ok {
		return usageError("%w", bad)
	}
	return err
}
