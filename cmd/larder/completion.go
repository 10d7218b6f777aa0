package main

import (
	"slices"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/outage"
	"github.com/larder-cache/larder/cmd/larder/internal/strategy"
	"github.com/larder-cache/larder/cmd/larder/internal/trace"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completer returns what a flag may be, given what was typed of it.
type completer = func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective)

// completions are those of the flags by name, of whatever command. Flags that are not
// here are numbers and the like, for which files would be a bad proposal.
var completions = map[string]completer{
	"strategies": listOf(strategy.Names),
	"strategy":   listOf(outage.Strategies),
	"faults":     listOf(outage.Faults),
	"format":     oneOf(formatNames),
	"arrivals":   oneOf(func() []string { return []string{string(workload.Poisson), string(workload.Constant)} }),
	"only":       listOf(suiteNames),
	"loop":       oneOf(func() []string { return []string{"open", "closed"} }),
	"workload":   oneOf(workloadNames),
	"profile":    oneOf(func() []string { return []string{workload.Flat, "ramp:", "step:"} }),
	"trace":      anyFile,
	"redis":      oneOf(func() []string { return []string{"spawn", "spawn-cluster", "redis://localhost:6379"} }),
	"json":       filesOf("json"),
	"out":        directories,
}

func workloadNames() (names []string) {
	for _, n := range workload.YCSB() {
		names = append(names, n.Name)
	}
	for _, form := range workload.PopularityForms {
		if name, _, more := strings.Cut(form, ":"); more {
			form = name + ":"
		}
		names = append(names, form)
	}
	return names
}

func formatNames() (names []string) {
	for _, f := range trace.Formats() {
		names = append(names, string(f))
	}
	return names
}

// complete tells the shell what the flags of all commands may be. A command that has told
// it already is left as it is.
func complete(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if _, has := cmd.GetFlagCompletionFunc(f.Name); has || f.Value.Type() == "bool" {
			return
		}
		how, known := completions[f.Name]
		if !known {
			how = cobra.NoFileCompletions
		}
		if err := cmd.RegisterFlagCompletionFunc(f.Name, how); err != nil {
			panic(err) // there is no such flag, or it has been told
		}
	})
	for _, c := range cmd.Commands() {
		complete(c)
	}
}

func oneOf(names func() []string) completer {
	return func(_ *cobra.Command, _ []string, typed string) (all []string, _ cobra.ShellCompDirective) {
		for _, name := range names() {
			if strings.HasPrefix(name, typed) {
				all = append(all, name)
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// listOf completes the last of several names between commas, without those before it.
func listOf(names func() []string) completer {
	return func(_ *cobra.Command, _ []string, typed string) (all []string, _ cobra.ShellCompDirective) {
		before := typed[:strings.LastIndex(typed, ",")+1]
		taken := strings.Split(before, ",")
		for _, name := range names() {
			if strings.HasPrefix(before+name, typed) && !slices.Contains(taken, name) {
				all = append(all, before+name)
			}
		}
		return all, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

func filesOf(extension string) completer {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return []string{extension}, cobra.ShellCompDirectiveFilterFileExt
	}
}

func anyFile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

func directories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}
