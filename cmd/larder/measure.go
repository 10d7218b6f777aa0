package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/assertion"
	"github.com/larder-cache/larder/cmd/larder/internal/export"
	"github.com/larder-cache/larder/cmd/larder/internal/progress"
	"github.com/larder-cache/larder/cmd/larder/internal/report"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// exitBroken says that a promise or an assertion did not hold.
const exitBroken = 3

// sweeping is how long the removal of a run's keys may take.
const sweeping = 30 * time.Second

// outputs are the flags of all commands that measure.
type outputs struct {
	redis  string
	out    string
	repeat int
	assert []string

	assertions []assertion.Expression // what assert says, after check
}

func (o *outputs) flags(f *pflag.FlagSet) {
	o.resultFlags(f)
	f.StringVar(&o.redis, "redis", o.redis, "`server` to use: a redis:// or rediss:// URL, host:port, several host:port of a cluster separated by commas, or spawn or spawn-cluster for one of our own, from the redis-server of the PATH (default: one inside this process)")
}

// resultFlags are those of commands that do without a server, or have their own.
func (o *outputs) resultFlags(f *pflag.FlagSet) {
	f.StringVar(&o.out, "out", "larder-out", "`directory` for the results")
	f.IntVar(&o.repeat, "repeat", 1, "measure so many times: six samples of each figure are what larder compare needs")
	f.StringArrayVar(&o.assert, "assert", nil, "exit with code 3 unless this `expression` holds, such as 'aside.p99<2ms', 'aside.hit_ratio>=95%' or 'aside.p99<none.p99*0.5'; may be repeated")
}

// check returns an error that names the first flag that makes no sense.
func (o *outputs) check() (target server.Target, err error) {
	switch {
	case o.out == "":
		return target, usageError("--out is empty: it must name a directory")
	case o.repeat < 1 || o.repeat > 100:
		return target, usageError("--repeat is %d: it must be from 1 to 100", o.repeat)
	}
	if target, err = server.ParseTarget(o.redis); err != nil {
		return target, usageError("--redis: %w", err)
	}
	o.assertions = nil
	for _, text := range o.assert {
		e, err := assertion.Parse(text)
		if err != nil {
			return target, usageError("--assert %w", err)
		}
		o.assertions = append(o.assertions, e)
	}
	return target, nil
}

// bed is what a measurement lies in.
type bed struct {
	*server.Server
	Prefix string // of all keys, made up for the run; they are removed at its end
}

// measurement is a part of a run: a scenario.
type measurement struct {
	// steps says how long it will take.
	steps []progress.Step
	// run measures. After an error, also that of ctx, it returns what was measured until
	// then, or nil.
	run func(ctx context.Context, on bed, meter *progress.Meter) (*results.Section, error)
}

// measure makes the measurements on one server, prints and writes what they found, and
// returns the error that decides the exit code.
func measure(cmd *cobra.Command, o outputs, title string, seed uint64, all ...measurement) (err error) {
	target, err := o.check()
	if err != nil {
		return err
	}
	on, err := target.Open(cmd.Context())
	if err != nil {
		return err
	}
	defer func() { err = cmp.Or(err, on.Close()) }()
	return measureOn(cmd, o, on, newDocument(title, seed, on.Info), all...)
}

// measureOn is measure on a server that is open, or on none: on may be nil.
func measureOn(cmd *cobra.Command, o outputs, on *server.Server, d *results.Document, all ...measurement) error {
	ctx := cmd.Context()
	d.Config = configOf(cmd)
	var steps []progress.Step
	for range o.repeat {
		for _, m := range all {
			steps = append(steps, m.steps...)
		}
	}
	meter := progress.New(cmd.ErrOrStderr(), steps)
	var runErr error
	for again := range o.repeat {
		for i, m := range all {
			var s *results.Section
			s, runErr = m.on(ctx, on, meter)
			switch {
			case s == nil:
			case again == 0:
				d.Sections = append(d.Sections, s)
			case runErr == nil:
				runErr = d.Sections[i].Repeat(s)
			}
			if runErr = cmp.Or(runErr, ctx.Err()); runErr != nil {
				break
			}
		}
		if runErr != nil {
			break
		}
	}
	meter.Stop()
	return publish(cmd, o, d, runErr)
}

// on measures with a prefix of its own, and removes the keys also after an interrupt.
func (m measurement) on(ctx context.Context, on *server.Server, meter *progress.Meter) (s *results.Section, err error) {
	if on == nil {
		return m.run(ctx, bed{}, meter)
	}
	prefix := server.RunPrefix("larderbench")
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweeping)
		defer cancel()
		_, err1 := on.Sweep(ctx, prefix)
		err = cmp.Or(err, err1)
	}()
	return m.run(ctx, bed{on, prefix}, meter)
}

func newDocument(title string, seed uint64, on server.Info) *results.Document {
	command := []string{"larder"}
	for _, a := range os.Args[1:] {
		command = append(command, withoutSecrets(a))
	}
	return &results.Document{
		Schema: results.Schema, Title: title, Version: versionName(), Command: command,
		Started: time.Now().UTC().Truncate(time.Second), Seed: seed, Environment: results.ThisEnvironment(), Server: on,
	}
}

// publish prints and writes a document, and returns the error that decides the exit
// code.
func publish(cmd *cobra.Command, o outputs, d *results.Document, runErr error) error {
	d.Took = time.Since(d.Started)
	d.Interrupted = cmd.Context().Err() != nil
	if len(d.Sections) == 0 {
		return runErr
	}
	if len(o.assertions) > 0 && runErr == nil {
		d.Sections = append(d.Sections, assertion.Judge(d, o.assertions))
	}
	stdout := cmd.OutOrStdout()
	fmt.Fprintf(stdout, "environment  %s\n", d.Environment)
	if d.Server.Kind != "" {
		fmt.Fprintf(stdout, "server       %s\n", d.Server)
	}
	fmt.Fprintf(stdout, "seed         %d\n\n", d.Seed)
	for _, s := range d.Sections {
		s.Text(stdout)
	}
	path, err := d.Write(o.out)
	if err != nil {
		return cmp.Or(runErr, err)
	}
	if err := export.All(o.out, report.Source{Label: o.out, Document: d}); err != nil {
		return cmp.Or(runErr, err)
	}
	fmt.Fprintf(stdout, "results: %s\nreport:  %s\n", path, filepath.Join(o.out, export.ReportName))
	if runErr != nil {
		return runErr
	}
	if broken := d.Failures(); len(broken) > 0 {
		return &exitError{exitBroken, errors.New(broken[0])}
	}
	return nil
}
