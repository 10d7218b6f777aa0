package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/larder-cache/larder/cmd/larder/internal/export"
	"github.com/larder-cache/larder/cmd/larder/internal/report"
	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/spf13/cobra"
)

func newReport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "report FILE...",
		Short: "Draw the pictures and the page of results that are there already",
		Long: "Draw the pictures and the page of results that are there already.\n" +
			"A FILE is a " + results.FileName + " or the directory of one. Several are laid on top of each other.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if out == "" && cmd.Flags().Changed("out") {
				return usageError("--out is empty: it must name a directory")
			}
			var sources []report.Source
			for i, label := range labels(files) {
				d, err := results.Read(files[i])
				if err != nil {
					return &exitError{exitUsage, err}
				}
				sources = append(sources, report.Source{Label: label, Document: d})
			}
			dir := out
			if dir == "" {
				dir = besides(files)
			}
			if err := export.All(dir, sources...); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "report:", filepath.Join(dir, export.ReportName))
			return err
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "`directory` for the report (default: that of the FILE; larder-overlay for several)")
	return cmd
}

// besides is the directory of the only file, or one for several.
func besides(files []string) string {
	if len(files) > 1 {
		return "larder-overlay"
	}
	if info, err := os.Stat(files[0]); err == nil && info.IsDir() {
		return files[0]
	}
	return filepath.Dir(files[0])
}

// labels are the shortest ends of the paths, without results.json, that differ.
func labels(files []string) []string {
	paths := make([][]string, len(files))
	for i, f := range files {
		clean := filepath.ToSlash(filepath.Clean(f))
		clean = strings.TrimSuffix(strings.TrimSuffix(clean, "/"+results.FileName), ".json")
		paths[i] = strings.Split(clean, "/")
	}
	for n := 1; ; n++ {
		out, seen, longest := make([]string, len(files)), map[string]bool{}, 0
		for i, p := range paths {
			out[i] = strings.Join(p[max(len(p)-n, 0):], "/")
			seen[out[i]], longest = true, max(longest, len(p))
		}
		if len(seen) == len(files) {
			return out
		}
		if n >= longest { // the same file twice
			for i := range out {
				out[i] = fmt.Sprintf("%s #%d", out[i], i+1)
			}
			return out
		}
	}
}
