package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in release builds.
var version string

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "larder",
		Short:         "Measure caches, and simulate them on request traces",
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(newBench())
	root.AddCommand(newCompare())
	root.AddCommand(newSimulate())
	root.AddCommand(newTrace())
	root.AddCommand(newVerify())
	root.AddCommand(newVerifyWorker())
	root.AddCommand(newStampedeWorker())
	root.AddCommand(newStalenessWorker())
	root.AddCommand(newVersion())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w; see %s --help", err, cmd.CommandPath())
	})
	separateUsage(root)
	configurable(root)
	return root
}

// separateUsage gives the plain errors of a command their exit code: those of
// its own code are run errors, those of its argument check are wrong usage.
func separateUsage(cmd *cobra.Command) {
	if runE := cmd.RunE; runE != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			return withCode(exitRun, runE(cmd, args))
		}
	}
	args := cmd.Args
	if args == nil {
		args = cobra.ArbitraryArgs
	}
	cmd.Args = func(cmd *cobra.Command, a []string) error {
		if err := args(cmd, a); err != nil {
			return withCode(exitUsage, fmt.Errorf("%w; see %s --help", err, cmd.CommandPath()))
		}
		return nil
	}
	for _, c := range cmd.Commands() {
		separateUsage(c)
	}
}

func withCode(code int, err error) error {
	if _, ok := errors.AsType[*exitError](err); ok || err == nil {
		return err
	}
	return &exitError{code, err}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "larder %s %s %s/%s\n",
				versionName(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}

// versionName is the version of the release or, without one, that of the
// module as the go command recorded it.
func versionName() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
