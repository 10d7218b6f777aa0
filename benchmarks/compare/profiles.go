package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// mainPaths are those that profiles are taken of.
var mainPaths = []struct {
	name, pkg, bench, cpu string
	pinned                bool
}{
	{"memory-hit", "memory", "^BenchmarkHit$/^lib=larder$", "2", false},
	{"memory-set", "memory", "^BenchmarkSet$/^lib=larder$", "2", false},
	{"loader-hit", "loader", "^BenchmarkHit$/^lib=larder$", "2", false},
	{"redis-hit", "remote", "^BenchmarkGet$/^lib=larder$", "1", true},
	{"redis-hit-64-goroutines", "remote", "^BenchmarkGet64Goroutines$/^lib=larder$", "2", false},
}

// profiles writes, for each of the main paths, where the time goes and what is
// allocated, by the program pprof.
func profiles(ctx context.Context, o options) error {
	pkgs := []string{"memory", "loader", "remote"}
	b, err := build(ctx, pkgs)
	if err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	pin := pinner()
	for _, p := range mainPaths {
		cpu, memory := filepath.Join(b.dir, "cpu"), filepath.Join(b.dir, "memory")
		args := []string{b.path(p.pkg), "-test.run=^$", "-test.bench=" + p.bench, "-test.cpu=" + p.cpu,
			"-test.benchtime=" + or(o.time, "3s"), "-test.cpuprofile=" + cpu, "-test.memprofile=" + memory}
		if p.pinned {
			args = append(pin[:len(pin):len(pin)], args...)
		}
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir = b.dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w\n%s", p.name, err, out)
		}
		for _, profile := range []struct{ kind, file, index string }{
			{"cpu", cpu, ""},
			{"allocations", memory, "-sample_index=alloc_space"},
		} {
			args := []string{"tool", "pprof", "-top", "-nodecount=25"}
			if profile.index != "" {
				args = append(args, profile.index)
			}
			top, err := exec.CommandContext(ctx, goCommand(), append(args, b.path(p.pkg), profile.file)...).Output()
			if err != nil {
				return fmt.Errorf("pprof of %s: %w", p.name, err)
			}
			text := fmt.Sprintf("Made by make profiles, of %s in benchmarks/%s, the filling of the store included.\n%s; %s\n\n%s\n%s",
				p.bench, p.pkg, machine(), redisVersion(), benchmarkLines(string(out)), top)
			if err := write(o.profilesIn, p.name+"-"+profile.kind+".txt", text); err != nil {
				return err
			}
		}
	}
	return nil
}
