package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/redisstore"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

type topFlags struct {
	place
	every        time.Duration
	once, asJSON bool
}

func newTop() *cobra.Command {
	o := topFlags{every: time.Second}
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the invalidations of a space, and the processes that hear them",
		Long: `Top shows, again and again, how many invalidations a second the lanes of a space
have, what was invalidated last, and how far each process with memory has applied
it. It only reads Redis and listens: it joins nothing.

On a terminal the view stays in its place; elsewhere each look is a few lines. It
ends with Ctrl-C, and then with exit code 0: there is no other end.`,
		Example: `  larder top --redis localhost:6379 --space shop
  larder top --redis localhost:6379 --space shop --once --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runTop(cmd, o) },
	}
	f := cmd.Flags()
	o.place.flags(f)
	f.DurationVar(&o.every, "every", o.every, "time between two looks")
	f.BoolVar(&o.once, "once", false, "look once, over that time, and end")
	f.BoolVar(&o.asJSON, "json", false, "print a line of JSON for each look")
	return cmd
}

func runTop(cmd *cobra.Command, o topFlags) error {
	if o.every < 100*time.Millisecond || o.every > time.Hour {
		return usageError("--every is %v: it must be from 100ms to 1h", o.every)
	}
	target, err := o.check()
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	on, look, err := o.open(ctx, target)
	if err != nil {
		return err
	}
	defer on.Close()
	listening, stop := context.WithCancel(ctx)
	news := &newsList{}
	ended := make(chan error, 1)
	go func() { ended <- look.Listen(listening, news.add) }()
	defer func() {
		stop()
		<-ended
	}()
	w, place := cmd.OutOrStdout(), false
	if f, ok := w.(*os.File); ok && !o.asJSON {
		place = term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb"
	}
	before, err := look.Space(ctx)
	began := time.Now()
	ticker := time.NewTicker(o.every)
	defer ticker.Stop()
	for err == nil {
		select {
		case <-ctx.Done():
			return nil // there is no other end
		case <-ticker.C:
		}
		var now redisstore.SpaceInspection
		if now, err = look.Space(ctx); err != nil {
			break
		}
		v := viewOf(before, now, time.Since(began), news.take())
		before, began = now, time.Now()
		if err = v.show(w, o.asJSON, place); err != nil || o.once {
			return err
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// newsList keeps what was announced since it was last asked.
type newsList struct {
	mu   sync.Mutex
	last []string // the newest last
}

// mostNews is how much of what was invalidated is kept between two looks.
const mostNews = 8

func (l *newsList) add(n redisstore.News) {
	var words []string
	if n.All {
		words = append(words, fmt.Sprintf("everything in lane %d", n.Lane))
	}
	for _, tag := range n.Tags {
		words = append(words, "tag "+tag)
	}
	for _, k := range n.Keys {
		words = append(words, fmt.Sprintf("key #%08x", k)) // keys are announced by their hash
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = append(l.last, words...)
	l.last = slices.Clone(l.last[max(0, len(l.last)-mostNews):])
}

func (l *newsList) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.last)
}

// view is one look at a space.
type view struct {
	Space     string        `json:"space"`
	At        time.Time     `json:"at"`
	Over      time.Duration `json:"over_ns"`
	PerSecond float64       `json:"announcements_per_second"`
	Lanes     []laneView    `json:"lanes"` // those in which something is
	Members   []member      `json:"members"`
	Last      []string      `json:"last"` // of what was invalidated, the newest last
}

type laneView struct {
	Lane      int     `json:"lane"`
	Seq       uint64  `json:"seq"`
	PerSecond float64 `json:"announcements_per_second"`
	Members   int     `json:"members"`
}

// viewOf compares two looks.
func viewOf(before, now redisstore.SpaceInspection, over time.Duration, last []string) view {
	v := view{Space: now.Name, At: time.Now(), Over: over, Members: membersOf(now), Last: last}
	for i, l := range now.Lanes {
		if l.Log == "" && len(l.Members) == 0 {
			continue
		}
		lane := laneView{Lane: l.Lane, Seq: l.Seq, Members: len(l.Members)}
		// A log that was lost begins anew: its number says nothing of the one before.
		if i < len(before.Lanes) && before.Lanes[i].Log != "" && sameLog(before.Lanes[i], l) {
			lane.PerSecond = float64(l.Seq-before.Lanes[i].Seq) / over.Seconds()
		}
		v.PerSecond += lane.PerSecond
		v.Lanes = append(v.Lanes, lane)
	}
	return v
}

func sameLog(before, now redisstore.LaneInspection) bool {
	return before.Log == now.Log && now.Seq >= before.Seq
}

// show writes the view: in the place of the one before, if there is a terminal.
func (v view) show(w io.Writer, asJSON, place bool) error {
	if asJSON {
		return printJSON(w, v)
	}
	var b bytes.Buffer
	if place {
		b.WriteString("\x1b[H\x1b[2J")
	}
	fmt.Fprintf(&b, "%s  %s  %s invalidations/s announced\n\n", v.At.Format(time.TimeOnly), v.Space, results.Amount(v.PerSecond))
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "lane\tmessage\tper second\tprocesses")
	for _, l := range v.Lanes {
		fmt.Fprintf(t, "%d\t%d\t%s\t%d\n", l.Lane, l.Seq, results.Amount(l.PerSecond), l.Members)
	}
	fmt.Fprintln(t, "\nprocess\tlast beat\tbehind\tlanes")
	for _, m := range v.Members {
		behind := "follows another log"
		if m.Behind >= 0 {
			behind = fmt.Sprint(m.Behind)
		}
		fmt.Fprintf(t, "%s\t%s ago\t%s\t%d\n", oneLine(m.ID), results.Brief(m.Ago), behind, m.Lanes)
	}
	t.Flush()
	if len(v.Last) > 0 {
		fmt.Fprintf(&b, "\nlast: %s\n", oneLine(strings.Join(v.Last, ", ")))
	}
	if !place {
		b.WriteByte('\n')
	}
	_, err := w.Write(b.Bytes())
	return err
}
