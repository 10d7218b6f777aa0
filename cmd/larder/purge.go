package main

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/redisstore"
	"github.com/spf13/cobra"
)

type purgeFlags struct {
	place
	tags                        []string
	clear, wait, dryRun, asJSON bool
	timeout                     time.Duration
}

func newPurge() *cobra.Command {
	o := purgeFlags{timeout: 2 * time.Second}
	cmd := &cobra.Command{
		Use:   "purge (KEY... | --tag TAG... | --clear)",
		Short: "Invalidate keys, tags or all of a space, for every process",
		Long: `Purge joins a space as a process of its own and invalidates keys, tags or
everything, as the library does: from then on no process loads the old values from
Redis, loads that are under way are not stored, and processes that keep values in
memory drop them as soon as they hear of it, within a lease at the latest. With
--wait it returns when all of them have heard of it, or had no lease any more.

A KEY is text, as for larder inspect.

Exit codes: 0 done, 1 it failed: what was to be purged may be served until it
expires, 2 wrong usage, 130 interrupted.`,
		Example: `  larder purge --redis localhost:6379 --space shop --store users 42 43
  larder purge --redis localhost:6379 --space shop --tag org:acme --wait
  larder purge --redis localhost:6379 --space shop --clear --dry-run`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return runPurge(cmd, o, args) },
	}
	f := cmd.Flags()
	o.place.flags(f)
	o.storeFlag(f)
	f.StringArrayVar(&o.tags, "tag", nil, "invalidate this `tag`; may be repeated")
	f.BoolVar(&o.clear, "clear", false, "invalidate everything in the space")
	f.BoolVar(&o.wait, "wait", false, "wait until no process serves the old values from memory")
	f.BoolVar(&o.dryRun, "dry-run", false, "only show what there is of it")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.DurationVar(&o.timeout, "timeout", o.timeout, "how long Redis may take to answer")
	return cmd
}

func (o *purgeFlags) check(keys []string) (server.Target, error) {
	given := 0
	for _, is := range []bool{len(keys) > 0, len(o.tags) > 0, o.clear} {
		if is {
			given++
		}
	}
	var none server.Target
	switch {
	case given != 1:
		return none, usageError("give one of: keys, --tag, --clear")
	case len(keys) > 0 && o.store == "":
		return none, usageError("--store is missing: it must name the store that has the keys, as it was given to redisstore.New")
	case len(keys) == 0 && o.store != "":
		return none, usageError("--store is given without a key: tags and --clear are of all stores")
	case o.dryRun && o.wait:
		return none, usageError("--dry-run and --wait are given: nothing is waited for when nothing is done")
	case o.timeout < time.Millisecond || o.timeout > time.Minute:
		return none, usageError("--timeout is %v: it must be from 1ms to 1m", o.timeout)
	}
	for _, t := range o.tags {
		if t == "" {
			return none, usageError("--tag is empty: it must be a tag")
		}
	}
	for _, k := range keys {
		if k == "" || len(k) > 4096 {
			return none, usageError("a key has %d bytes: only keys of 1 to 4096 are cached", len(k))
		}
	}
	return o.place.check()
}

// purged is what was done.
type purged struct {
	Keys     []string      `json:"keys,omitempty"`
	Tags     []string      `json:"tags,omitempty"`
	Clear    bool          `json:"clear"`
	Took     time.Duration `json:"took_ns"`               // until it was acknowledged
	Coherent time.Duration `json:"coherent_ns,omitempty"` // and then until all had heard of it; with --wait
}

func runPurge(cmd *cobra.Command, o purgeFlags, keys []string) (err error) {
	target, err := o.check(keys)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	on, look, err := o.open(ctx, target)
	if err != nil {
		return err
	}
	defer on.Close()
	if o.dryRun {
		return dryRun(cmd, look, o, keys)
	}
	if err := sameSettings(ctx, look); err != nil {
		return err
	}
	space, err := redisstore.Open(ctx, on.Client, o.space, &redisstore.Options{Timeout: o.timeout, Slow: o.timeout})
	if err != nil {
		return err
	}
	defer space.Close(context.WithoutCancel(ctx))
	ctx, session := invalidation.NewSession(ctx)
	began := time.Now()
	switch {
	case o.clear:
		err = space.Clear(ctx)
	case len(o.tags) > 0:
		err = space.InvalidateTags(ctx, o.tags...)
	default:
		err = redisstore.New(space, o.store, &redisstore.StoreOptions[string, []byte]{Codec: cache.Bytes{}}).Invalidate(ctx, keys...)
	}
	if err != nil {
		return fmt.Errorf("the purge failed, so old values may still be served: %w", err)
	}
	done := purged{Keys: keys, Tags: o.tags, Clear: o.clear, Took: time.Since(began)}
	if o.wait {
		began = time.Now()
		if err := space.WaitCoherent(ctx, session.Token()); err != nil {
			return fmt.Errorf("it is purged, but whether all processes have heard of it is not known: %w", err)
		}
		done.Coherent = time.Since(began)
	}
	if o.asJSON {
		return printJSON(cmd.OutOrStdout(), done)
	}
	what := spelling.Plural(len(keys), "key of ", "keys of ") + o.store
	switch {
	case o.clear:
		what = "everything in " + o.space
	case len(o.tags) > 0:
		what = spelling.Plural(len(o.tags), "tag", "tags")
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "invalidated %s in %s\n", what, results.Brief(done.Took))
	if o.wait && err == nil {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "no process serves the old values from memory: waited %s\n", results.Brief(done.Coherent))
	}
	return err
}

// sameSettings returns an error if a program of other settings uses the space: it would
// not hear of what is purged here.
func sameSettings(ctx context.Context, look *redisstore.Inspector) error {
	s, err := look.Space(ctx)
	if err != nil {
		return err
	}
	if s.Settings != "" && s.Settings != s.Ours {
		return fmt.Errorf("the space %s is in use with the settings %q, but this program has %q: use a larder of the version that the programs have", s.Name, s.Settings, s.Ours)
	}
	return nil
}

// dryRun shows what a purge is about, and changes nothing.
func dryRun(cmd *cobra.Command, look *redisstore.Inspector, o purgeFlags, keys []string) error {
	ctx, w := cmd.Context(), cmd.OutOrStdout()
	space, err := look.Space(ctx)
	if err != nil {
		return err
	}
	plan := struct {
		Members []member                   `json:"members"`
		Keys    []redisstore.Inspection    `json:"keys,omitempty"`
		Tags    []redisstore.TagInspection `json:"tags,omitempty"`
		Census  *redisstore.Census         `json:"census,omitempty"`
	}{Members: membersOf(space)}
	var lines []string
	for _, k := range keys {
		got, err := look.Key(ctx, o.store, k)
		if err != nil {
			return err
		}
		plan.Keys = append(plan.Keys, got)
		lines = append(lines, fmt.Sprintf("key %q: %s", k, got.State))
	}
	for _, t := range o.tags {
		got, err := look.Tag(ctx, t)
		if err != nil {
			return err
		}
		plan.Tags = append(plan.Tags, got)
		lines = append(lines, fmt.Sprintf("tag %q: version %s", t, versionText(got.Version)))
	}
	if o.clear {
		c, err := look.Census(ctx, mostLooked)
		if err != nil {
			return err
		}
		plan.Census = &c
		least := ""
		if !c.Complete {
			least = "at least "
		}
		lines = append(lines, "everything in "+o.space+": "+least+spelling.Plural(c.Values, "value", "values"))
	}
	if o.asJSON {
		return printJSON(w, plan)
	}
	for _, l := range lines {
		fmt.Fprintln(w, oneLine(l))
	}
	_, err = fmt.Fprintf(w, "%s values in memory and would hear of it; nothing was changed\n", spelling.Plural(len(plan.Members), "process keeps", "processes keep"))
	return err
}
