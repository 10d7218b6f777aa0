package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/verify"
	"github.com/spf13/cobra"
)

// exitViolation says that a guarantee did not hold.
const exitViolation = 3

func newVerify() *cobra.Command {
	c := verify.Config{}
	var redis string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Attack Larder's guarantees on real servers",
		Long: `Verify lets several processes read and write through Larder on real Redis
servers while connections are cut, delayed, repeated and swallowed, processes
are stopped and killed, and servers are stopped, killed, emptied, starved of
memory and replaced. It checks every operation against the guarantees, and
prints what went wrong and what was read: no read may be stale.

Faults are chosen by the seed. With spawn, servers are started for the run, and
all faults happen; spawn-both is single servers and clusters in turns, and
spawn-all Sentinel too, and a primary and its replica that change places behind
one address. In some rounds processes have not the right to call INFO.
On a server that is there already only the network between it and the processes
fails, processes fail, and keys of the run are deleted. All keys have a prefix
made up for the run, and are removed at the end.

Exit codes: 0 all held, 1 the run failed, 2 wrong usage, 3 a guarantee was
violated, 130 interrupted.`,
		Example: `  larder verify
  larder verify --redis spawn-cluster --time 24h
  larder verify --redis redis://localhost:6379 --processes 5`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("seed") {
				c.Seed = uint64(rand.Uint32())
			}
			return runVerify(cmd, c, redis)
		},
	}
	f := cmd.Flags()
	f.StringVar(&redis, "redis", "spawn-all", "`server` to use: spawn, spawn-cluster, spawn-sentinel, spawn-address, spawn-both or spawn-all, from the redis-server of the PATH, a redis:// or rediss:// URL, host:port, or several host:port of a cluster separated by commas")
	f.DurationVar(&c.Time, "time", time.Minute, "how long to go on; the last round is ended")
	f.DurationVar(&c.Round, "round", 20*time.Second, "time of a round, which has one seed")
	f.IntVar(&c.Rounds, "rounds", 0, "end after so many rounds, whatever the time")
	f.IntVar(&c.Processes, "processes", 3, "processes that read and write")
	f.Uint64Var(&c.Seed, "seed", 0, "seed of the first round; each has the next one (default: drawn)")
	f.DurationVar(&c.Lease, "lease", 500*time.Millisecond, "lease of memory")
	f.StringVar(&c.Out, "out", "larder-out", "`directory` for pictures of violations")
	f.BoolVarP(&c.Verbose, "verbose", "v", false, "print the faults as they are chosen")
	return cmd
}

func runVerify(cmd *cobra.Command, c verify.Config, redis string) error {
	switch {
	case c.Processes < 1 || c.Processes > 64:
		return usageError("--processes is %d: it must be from 1 to 64", c.Processes)
	case c.Rounds < 0:
		return usageError("--rounds is %d: it cannot be negative", c.Rounds)
	case c.Time <= 0:
		return usageError("--time is %v: it must be positive", c.Time)
	case c.Round < time.Second || c.Round > 10*time.Minute:
		return usageError("--round is %v: it must be from 1s to 10m", c.Round)
	case c.Lease < 20*time.Millisecond || c.Lease > time.Minute:
		return usageError("--lease is %v: it must be from 20ms to 1m", c.Lease)
	case c.Out == "":
		return usageError("--out is empty: it must name a directory")
	}
	ctx, stdout := cmd.Context(), cmd.OutOrStdout()
	switch redis {
	case "":
		return usageError("--redis is empty: it must name a server, or spawn-all")
	case "spawn", "spawn-single":
		c.Spawn = []string{"single"}
	case "spawn-cluster":
		c.Spawn = []string{"cluster"}
	case "spawn-sentinel":
		c.Spawn = []string{"sentinel"}
	case "spawn-address":
		c.Spawn = []string{"address"}
	case "spawn-both":
		c.Spawn = []string{"single", "cluster"}
	case "spawn-all":
		// A cluster does a third of what a single server does in a round.
		c.Spawn = []string{"single", "cluster", "cluster", "single", "cluster", "cluster", "sentinel", "address"}
	default:
		target, err := server.ParseTarget(redis)
		if err != nil {
			return usageError("--redis: %w", err)
		}
		if c.Remote, err = target.Open(ctx); err != nil {
			return err
		}
		defer c.Remote.Close()
	}
	scores, err := verify.Run(ctx, c, stdout)
	scores.Text(stdout)
	if err != nil {
		return err
	}
	return verdictOf(scores)
}

// verdictOf returns the error that decides the exit code.
func verdictOf(scores *verify.Scores) error {
	switch {
	case len(scores.Violations) > 0:
		return &exitError{exitViolation, fmt.Errorf("%d VIOLATIONS of what is guaranteed", len(scores.Violations))}
	case scores.Undecided > 0:
		return errors.New("for some keys it could not be told in time whether they are linearizable: shorten --round")
	}
	return nil
}

func newVerifyWorker() *cobra.Command {
	return &cobra.Command{
		Use: verify.WorkerCommand, Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return verify.Work(cmd.Context(), cmd.InOrStdin()) },
	}
}
