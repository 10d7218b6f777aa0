package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/spelling"
	"github.com/larder-cache/larder/redisstore"
	"github.com/spf13/cobra"
)

const (
	mostLooked = 1_000_000 // keys, unless --scan says otherwise
	mostShown  = 1024      // bytes of a value
)

type inspectFlags struct {
	place
	tag               string
	asJSON, showValue bool
	scan              int64
}

func newInspect() *cobra.Command {
	var o inspectFlags
	cmd := &cobra.Command{
		Use:   "inspect [KEY]",
		Short: "Show what Redis holds of a space, a key or a tag",
		Long: `Inspect shows what Redis holds of a space and, with a key, all that is known of its
entry, and every reason why a read of it would be a miss now; with --tag, the
version of a tag. It only reads Redis: it sends no script and no write, and joins
nothing.

A KEY is the text by which the store names it: a string as it is, an integer in
decimal, a boolean as true or false, an array of bytes in hexadecimal digits, and
the fields of a struct with | between them, in which % is %25 and | is %7C; or
what StoreOptions.Key returns.

Values are not printed without --show-value, and then no more than 1024 bytes of
them, as they are stored, with what is not printable escaped.

Exit codes: 0 done, whether hit or miss, 1 Redis could not be asked, 2 wrong usage,
130 interrupted.`,
		Example: `  larder inspect --redis localhost:6379 --space shop
  larder inspect --redis localhost:6379 --space shop --store users 42
  larder inspect --redis localhost:6379 --space shop --tag org:acme --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runInspect(cmd, o, args) },
	}
	f := cmd.Flags()
	o.place.flags(f)
	o.storeFlag(f)
	f.StringVar(&o.tag, "tag", "", "show this `tag`")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	f.BoolVar(&o.showValue, "show-value", false, "print the value too")
	f.Int64Var(&o.scan, "scan", mostLooked, "look at so many `keys` of the server at most, to count those of the space; 0 does not count")
	return cmd
}

func (o *inspectFlags) check(args []string, tagGiven bool) (target server.Target, err error) {
	switch {
	case o.scan < 0:
		return target, usageError("--scan is %d: it cannot be negative", o.scan)
	case tagGiven && o.tag == "":
		return target, usageError("--tag is empty: it must be a tag")
	case tagGiven && len(args) > 0:
		return target, usageError("--tag and the key %q are given: give one of them", args[0])
	case len(args) > 0 && o.store == "":
		return target, usageError("--store is missing: it must name the store that has the key, as it was given to redisstore.New")
	case len(args) == 0 && (o.store != "" || o.showValue):
		return target, usageError("--store or --show-value is given without a key")
	}
	return o.place.check()
}

func runInspect(cmd *cobra.Command, o inspectFlags, args []string) error {
	target, err := o.check(args, cmd.Flags().Changed("tag"))
	if err != nil {
		return err
	}
	ctx, w := cmd.Context(), cmd.OutOrStdout()
	on, look, err := o.open(ctx, target)
	if err != nil {
		return err
	}
	defer on.Close()
	switch {
	case o.tag != "":
		tag, err := look.Tag(ctx, o.tag)
		if err != nil {
			return err
		}
		if o.asJSON {
			return printJSON(w, tag)
		}
		return showTag(w, tag)
	case len(args) > 0:
		key, err := look.Key(ctx, o.store, args[0])
		if err != nil {
			return err
		}
		if o.asJSON {
			return printJSON(w, keyJSON{key, key.Hit(), shownValue(key, o.showValue)})
		}
		return showKey(w, key, o.showValue)
	}
	space, err := look.Space(ctx)
	if err != nil {
		return err
	}
	var census *redisstore.Census
	if o.scan > 0 {
		c, err := look.Census(ctx, o.scan)
		if err != nil {
			return err
		}
		census = &c
	}
	if o.asJSON {
		return printJSON(w, spaceJSON{space, census})
	}
	return showSpace(w, space, census)
}

type keyJSON struct {
	redisstore.Inspection
	Hit     bool    `json:"hit"`
	Payload *string `json:"payload,omitempty"` // escaped, and cut
}

type spaceJSON struct {
	redisstore.SpaceInspection
	Census *redisstore.Census `json:"census,omitempty"`
}

func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// shownValue returns the bytes of a value as text that harms no terminal, or nil.
func shownValue(k redisstore.Inspection, show bool) *string {
	if !show || k.Value == nil {
		return nil
	}
	p, more := k.Value.Payload, ""
	if len(p) > mostShown {
		p, more = p[:mostShown], fmt.Sprintf(" ... and %d bytes more", len(p)-mostShown)
	}
	text := fmt.Sprintf("%q", p) + more
	return &text
}

// facts writes names and values in two columns.
type facts struct{ *tabwriter.Writer }

func newFacts(w io.Writer) facts { return facts{tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)} }

func (f facts) add(name, format string, args ...any) {
	fmt.Fprintf(f, "%s\t%s\n", name, oneLine(fmt.Sprintf(format, args...)))
}

func showTag(w io.Writer, t redisstore.TagInspection) error {
	f := newFacts(w)
	f.add("tag", "%q", t.Tag)
	f.add("key in Redis", "%q", t.Key)
	f.add("lane", "%d", t.Lane)
	f.add("version", "%s", versionText(t.Version))
	if t.State != redisstore.StateNothing {
		f.add("kept for", "%s", leftText(t.Left))
	}
	return f.Flush()
}

func versionText(v redisstore.Version) string {
	switch v.State {
	case redisstore.StateVersion:
		return v.Version
	case redisstore.StateQuarantine:
		return fmt.Sprintf("none: quarantine %s, %s at work", v.Version, spelling.Plural(v.Writers, "writer is", "writers are"))
	case redisstore.StateNothing:
		return "none: nothing that is stored has it"
	}
	return "none: what is there is foreign"
}

func leftText(d time.Duration) string {
	if d < 0 {
		return "ever: it has no expiry"
	}
	return d.Round(time.Millisecond).String()
}

func showKey(w io.Writer, k redisstore.Inspection, show bool) error {
	f := newFacts(w)
	f.add("key in Redis", "%q", k.Key)
	f.add("lane", "%d", k.Lane)
	f.add("lane version", "%s", versionText(k.Star))
	f.add("state", "%s", k.State)
	f.add("type", "%s", k.Type)
	if k.State != redisstore.StateNothing {
		f.add("stored size", "%s", results.Bytes.Format(float64(k.Size)))
		f.add("kept for", "%s", leftText(k.Left))
	}
	if v := k.Value; v != nil {
		showValue(f, v)
	}
	if l := k.Lock; l != nil {
		f.add("lock", "fill %s, for %v more, others wait: %v", l.Fill, l.Left, l.Waited)
	}
	if k.State == redisstore.StateQuarantine {
		f.add("quarantine", "%s, touched by others: %v", spelling.Plural(k.Writers, "writer", "writers"), k.Touched)
	}
	f.add("refresh", "%v", k.Refreshing)
	if p := shownValue(k, show); p != nil {
		f.add("payload", "%s", *p)
	}
	if k.Hit() {
		verdict := "would be a hit, for a program with this codec and compression"
		if k.Value.Fresh <= cache.Now() {
			verdict += "; it is stale"
		}
		f.add("a read", "%s", verdict)
	}
	for _, m := range k.Misses {
		f.add("a read", "would be a miss (%s): %s", m.Kind, m.Why)
	}
	return f.Flush()
}

func showValue(f facts, v *redisstore.ValueInspection) {
	f.add("nonce", "%s", v.Nonce)
	f.add("absent", "%v", v.Absent)
	f.add("codec", "%d%s", v.Codec, codecName(v.Codec))
	f.add("schema", "%08x", v.Schema)
	f.add("compression", "%s", methodName(v.Method))
	f.add("payload size", "%s", results.Bytes.Format(float64(v.PayloadSize)))
	f.add("loaded", "%s", momentText(v.Loaded))
	f.add("load took", "%v", v.Cost)
	f.add("fresh until", "%s", momentText(v.Fresh))
	f.add("expires", "%s", momentText(v.Expires))
	for _, t := range v.Tags {
		now := "still its version"
		if !t.Valid {
			now = "now " + versionText(t.Now)
		}
		f.add("tag", "%q of lane %d, stamp %s, %s", t.Tag, t.Lane, t.Stamped, now)
	}
}

func momentText(m cache.Moment) string {
	switch {
	case m == 0:
		return "not known"
	case m == cache.Forever:
		return "never"
	case m < 0 || m > 253402300799999: // the end of the year 9999
		return fmt.Sprintf("%d ms after 1970", int64(m))
	}
	at := m.Time().UTC().Format("2006-01-02 15:04:05.000 UTC")
	if left := m.Sub(cache.Now()); left > 0 {
		return fmt.Sprintf("%s, in %v", at, left)
	} else {
		return fmt.Sprintf("%s, %v ago", at, -left)
	}
}

// codecName names the codecs of this project.
func codecName(id byte) string {
	names := map[byte]string{1: "JSON", 2: "bytes", 3: "text", 4: "CBOR"}
	if n, ok := names[id]; ok {
		return " (" + n + ")"
	}
	return ""
}

func methodName(m byte) string {
	switch m {
	case 0:
		return "none"
	case 1:
		return "1 (S2)"
	case 2:
		return "2 (Zstandard)"
	}
	return fmt.Sprint(m)
}

func showSpace(w io.Writer, s redisstore.SpaceInspection, c *redisstore.Census) error {
	f := newFacts(w)
	f.add("space", "%s", s.Name)
	switch s.Settings {
	case "":
		f.add("settings", "none: no process uses the space here")
	case s.Ours:
		f.add("settings", "%s", s.Settings)
	default:
		f.add("settings", "%q, but this program has %q: is it a cluster, or another version?", s.Settings, s.Ours)
	}
	if c != nil {
		f.add("values", "%d", c.Values)
		for _, name := range sortedKeys(c.Stores) {
			f.add("  in "+oneLine(name), "%d", c.Stores[name])
		}
		f.add("loads under way", "%d", c.Tokens)
		f.add("quarantines", "%d", c.Quarantines)
		f.add("refreshes", "%d", c.Refreshes)
		f.add("foreign", "%d", c.Foreign)
		f.add("tags", "%d", c.Tags)
		if !c.Complete {
			f.add("counted", "only among about %d keys of the server: see --scan", c.Looked)
		}
	}
	if err := f.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	lanesTable(w, s)
	return nil
}

// lanesTable shows lanes and members.
func lanesTable(w io.Writer, s redisstore.SpaceInspection) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "lane\tmessages\tmembers\tlog\tversion")
	for _, l := range s.Lanes {
		log := l.Log
		if log == "" {
			log = "none"
		}
		fmt.Fprintf(tw, "%d\t%d\t%d\t%s\t%s\n", l.Lane, l.Seq, len(l.Members), log, versionText(l.Star))
	}
	tw.Flush()
	all := membersOf(s)
	if len(all) == 0 {
		return
	}
	fmt.Fprintln(w)
	tw = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "member\tlast beat\tbehind\tlanes")
	for _, m := range all {
		behind := fmt.Sprintf("%d messages", m.Behind)
		if m.Behind < 0 {
			behind = "another log"
		}
		fmt.Fprintf(tw, "%s\t%v ago\t%s\t%d\n", oneLine(m.ID), m.Ago.Round(time.Millisecond), behind, m.Lanes)
	}
	tw.Flush()
}
