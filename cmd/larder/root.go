package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "larder",
		Short: "Measure caches, and simulate them on request traces",
		Long: `Larder measures caches, simulates them on request traces, and looks after those
that are in use.

All flags of a command may come from a file: larder COMMAND --print-config writes
one, and larder COMMAND --config FILE reads it. larder list prints what names
flags take; larder completion --help says how the shell completes them.`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.AddCommand(newBench())
	root.AddCommand(newReport())
	root.AddCommand(newCompare())
	root.AddCommand(newSimulate())
	root.AddCommand(newTrace())
	root.AddCommand(newList())
	root.AddCommand(newDoctor())
	root.AddCommand(newInspect())
	root.AddCommand(newPurge())
	root.AddCommand(newTop())
	root.AddCommand(newVerify())
	root.AddCommand(newVerifyWorker())
	root.AddCommand(newStampedeWorker())
	root.AddCommand(newStalenessWorker())
	root.AddCommand(newVersion())
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w; see %s --help", err, cmd.CommandPath())
	})
	complete(root)
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
