package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// version is set by the linker in release builds.
var version string

// versionSchema names the layout of a build in JSON.
const versionSchema = "larder.version/1"

// build is what this program was made of.
type build struct {
	Schema   string `json:"schema"`
	Version  string `json:"version"`
	Revision string `json:"vcs_revision,omitempty"`
	Time     string `json:"vcs_time,omitempty"`
	Modified bool   `json:"vcs_modified"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	// Modules are those that are linked, by path.
	Modules map[string]string `json:"modules"`
}

func newVersion() *cobra.Command {
	var verbose, asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			b, w := buildOf(info), cmd.OutOrStdout()
			if asJSON {
				e := json.NewEncoder(w)
				e.SetIndent("", "  ")
				return e.Encode(b)
			}
			_, err := fmt.Fprintf(w, "larder %s %s %s/%s\n", b.Version, b.Go, b.OS, b.Arch)
			if verbose && err == nil {
				err = b.details(w)
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&verbose, "verbose", "v", false, "also print the revision, and the versions of what is linked")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print all of that as JSON")
	return cmd
}

// buildOf returns what the go command has recorded. info is nil if that is nothing.
func buildOf(info *debug.BuildInfo) build {
	b := build{Schema: versionSchema, Version: versionName(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Modules: map[string]string{}}
	if info == nil {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = &debug.Module{Path: m.Path, Version: cmp.Or(m.Replace.Version, "from "+m.Replace.Path)}
		}
		b.Modules[m.Path] = m.Version
	}
	return b
}

func (b build) details(w io.Writer) error {
	revision := cmp.Or(b.Revision, "unknown")
	if b.Time != "" {
		revision += " of " + b.Time
	}
	if b.Modified {
		revision += ", and changes"
	}
	lines := []string{fmt.Sprintf("%-42s %s", "revision", revision)}
	// These two decide what is measured.
	first := []string{"github.com/redis/go-redis/v9", "github.com/alicebob/miniredis/v2"}
	var others []string
	for path := range b.Modules {
		if !slices.Contains(first, path) {
			others = append(others, path)
		}
	}
	slices.Sort(others)
	for _, path := range append(first, others...) {
		lines = append(lines, fmt.Sprintf("%-42s %s", path, cmp.Or(b.Modules[path], "unknown")))
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
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
