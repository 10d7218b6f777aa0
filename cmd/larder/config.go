package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"

	"github.com/larder-cache/larder/cmd/larder/internal/configfile"
	"github.com/spf13/cobra"
)

// maxConfig bounds a config file.
const maxConfig = 1 << 20

// ofConfig are the flags that a config file cannot have.
var ofConfig = []string{"config", "print-config", "help"}

// configurable lets all flags of all commands come from a file.
func configurable(root *cobra.Command) {
	f := root.PersistentFlags()
	f.String("config", "", "take flags from this JSON `file`, {\"flag\": value, ...}; those on the command line win")
	f.Bool("print-config", false, "print all flags and their values as such a file, and exit")
	if err := root.RegisterFlagCompletionFunc("config", filesOf("json")); err != nil {
		panic(err) // it has been told already
	}
	wrapConfig(root)
}

func wrapConfig(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		wrapConfig(c)
	}
	runE := cmd.RunE
	if runE == nil {
		return
	}
	args, before := cmd.Args, cmd.PreRunE
	if args == nil {
		args = cobra.ArbitraryArgs
	}
	cmd.Args = func(cmd *cobra.Command, a []string) error {
		if printsConfig(cmd) {
			return nil
		}
		return args(cmd, a)
	}
	cmd.PreRunE = func(cmd *cobra.Command, a []string) error {
		if err := readConfig(cmd); err != nil {
			return err
		}
		if before != nil {
			return before(cmd, a)
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		if !printsConfig(cmd) {
			return runE(cmd, a)
		}
		config, err := configfile.Effective(cmd.Flags(), ofConfig...)
		if err == nil {
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", config)
		}
		return err
	}
}

func printsConfig(cmd *cobra.Command) bool {
	on, err := cmd.Flags().GetBool("print-config")
	return on && err == nil
}

// readConfig gives the flags the values of the file that --config names, if it does.
func readConfig(cmd *cobra.Command) error {
	given := cmd.Flags().Lookup("config")
	if given == nil || !given.Changed {
		return nil
	}
	file := given.Value.String()
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return usageError("--config: there is no file %q: %s --print-config writes one", file, cmd.CommandPath())
	case err == nil && info.Size() > maxConfig:
		return usageError("--config: %s has more than %d bytes: it is no config file", file, maxConfig)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return usageError("--config: %w", err)
	}
	if err := configfile.Apply(cmd.Flags(), data, ofConfig...); err != nil {
		return usageError("--config: %s: %w", file, err)
	}
	return nil
}

var passwords = regexp.MustCompile(`(rediss?://[^:/@\s"]*:)[^\s"]*@`)

// withoutSecrets returns a text without the passwords of the servers in it: results are
// shown to others.
func withoutSecrets(s string) string { return passwords.ReplaceAllString(s, "${1}xxxxx@") }

// configOf returns all flags of the command that runs, for its results.
func configOf(cmd *cobra.Command) json.RawMessage {
	config, err := configfile.Effective(cmd.Flags(), ofConfig...)
	if err != nil {
		return nil // there is no such flag
	}
	return json.RawMessage(withoutSecrets(string(config)))
}
