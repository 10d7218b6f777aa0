package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
	"github.com/larder-cache/larder/redisstore"
	"github.com/spf13/cobra"
)

type doctorFlags struct {
	place
	as             server.As
	timeout, lease time.Duration
	idle           time.Duration
	replicas       int
	all, asJSON    bool
}

func newDoctor() *cobra.Command {
	o := doctorFlags{timeout: 100 * time.Millisecond, lease: time.Second, as: server.As{Kind: "auto"}}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Try what a space needs of Redis, and say what is wrong and what to do",
		Long: `Doctor tries everything that a space needs of its servers, as the user of the
address: the connection, the kind and version of the server, each command and
each kind of key, channels by a message that it hears itself, the eviction
policy, replicas and persistence, round trips against the time that a program
gives them, clocks, the layout of a cluster, and the settings of the processes
that use the space. Of each need that is not met it says what does not hold, and
what to grant or set.

It changes nothing but a probe key of its own, which it removes. Give it the user
and the options of the program that it is about: others may be allowed more.

A warning is about what breaks no promise while all goes well, such as snapshots
that bring old data back after a crash.

Exit codes: 0 no problem, warnings or not, 1 there is a problem, 2 wrong usage,
130 interrupted.`,
		Example: `  larder doctor --redis localhost:6379 --space shop
  larder doctor --redis rediss://app:secret@cache.example.com:6379 --ca ca.pem --space shop --json
  larder doctor --redis cache.example.com:6379 --space shop --idle 5m
  larder doctor --redis s1:26379,s2:26379 --sentinel-master main --space shop`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd, o) },
	}
	f := cmd.Flags()
	o.place.flags(f)
	f.StringVar(&o.as.Kind, "client", o.as.Kind, "the `kind` of client of the program: single (redis.NewClient), cluster (redis.NewClusterClient), or auto, which asks the server")
	f.StringVar(&o.as.Master, "sentinel-master", "", "the `name` of the primary, if --redis is sentinels")
	f.StringVar(&o.as.CA, "ca", "", "trust the certificates in this `file`, in PEM; by default those of the system")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "redisstore.Options.Timeout of the program")
	f.DurationVar(&o.lease, "lease", o.lease, "redisstore.Options.Lease of the program")
	f.IntVar(&o.replicas, "replicas", 0, "redisstore.Options.Replicas.N of the program: how many replicas invalidations wait for")
	f.DurationVar(&o.idle, "idle", 0, "see also what becomes of a connection that idles for so `long`, which a balancer may forget; 0 does not")
	f.BoolVar(&o.all, "all", false, "print also what is well")
	f.BoolVar(&o.asJSON, "json", false, "print JSON, with what is well")
	return cmd
}

func (o *doctorFlags) check() (server.Target, error) {
	var none server.Target
	switch {
	case o.as.Kind != "auto" && o.as.Kind != "single" && o.as.Kind != "cluster":
		return none, usageError("--client is %q: it must be auto, single or cluster", o.as.Kind)
	case o.as.Master != "" && o.as.Kind == "cluster":
		return none, usageError("--sentinel-master and --client cluster are given: sentinels are not for clusters")
	case o.timeout < time.Millisecond || o.timeout > time.Minute:
		return none, usageError("--timeout is %v: it must be from 1ms to 1m", o.timeout)
	case o.lease < 20*time.Millisecond || o.lease > time.Hour:
		return none, usageError("--lease is %v: it must be from 20ms to 1h", o.lease)
	case o.idle < 0 || o.idle > time.Hour:
		return none, usageError("--idle is %v: it must be from 0 to 1h", o.idle)
	case o.replicas < 0:
		return none, usageError("--replicas is %d: it cannot be negative", o.replicas)
	}
	return o.place.check()
}

func runDoctor(cmd *cobra.Command, o doctorFlags) error {
	target, err := o.check()
	if err != nil {
		return err
	}
	ctx, w := cmd.Context(), cmd.OutOrStdout()
	client, err := target.Client(ctx, o.as)
	if err != nil {
		return usageError("--ca: %w", err)
	}
	defer client.Close()
	report, err := redisstore.Check(ctx, client, o.space, &redisstore.Options{
		Timeout: o.timeout, Lease: o.lease, Replicas: redisstore.Replicas{N: o.replicas},
	})
	if err == nil && o.idle > 0 {
		err = idle(ctx, client, o.idle, &report)
	}
	if err != nil {
		return err
	}
	if o.asJSON {
		err = printJSON(w, struct {
			OK bool `json:"ok"`
			redisstore.CheckReport
		}{report.OK(), report})
	} else {
		err = showReport(w, report, target.Address(), o.all)
	}
	if err == nil && !report.OK() {
		err = &exitError{code: exitRun}
	}
	return err
}

// showReport writes what was found: what is not well in full, what is well in a line of
// each server, or with all in a line of each need.
func showReport(w io.Writer, r redisstore.CheckReport, address string, all bool) error {
	counts := map[redisstore.Verdict]int{}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "space %s at %s, %s, looked at in %s\n\n", r.Space, oneLine(address), spelling.Plural(r.Lanes, "lane", "lanes"), results.Brief(r.Took))
	for _, f := range r.Findings {
		counts[f.Verdict]++
		if f.Verdict == redisstore.VerdictOK && !all {
			continue
		}
		need := f.Need
		if f.Node != "" {
			need += " at " + f.Node
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Verdict, oneLine(need), oneLine(f.Detail))
		if p := f.Problem; p != nil {
			fmt.Fprintf(t, "\twhat it costs\t%s\n", oneLine(p.Effect))
			fmt.Fprintf(t, "\twhat to do\t%s\n", oneLine(p.Remedy))
			if p.Err != nil {
				fmt.Fprintf(t, "\tthe error\t%s\n", oneLine(p.Err.Error()))
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.Findings) > counts[redisstore.VerdictOK] || all {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "the least rights of a user: %s\n", r.Rights)
	_, err := fmt.Fprintf(w, "%s, %s, %d unknown, %d ok\n",
		spelling.Plural(counts[redisstore.VerdictProblem], "problem", "problems"),
		spelling.Plural(counts[redisstore.VerdictWarning], "warning", "warnings"),
		counts[redisstore.VerdictUnknown], counts[redisstore.VerdictOK])
	return err
}
