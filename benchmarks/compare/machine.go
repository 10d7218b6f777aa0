package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// header describes the machine and what was built in, in lines that benchstat
// takes for the configuration.
func header(modules []string, canPin bool) string {
	var out strings.Builder
	fmt.Fprintln(&out, "# Made by make bench-compare; benchstat -col /lib reads it.")
	fmt.Fprintf(&out, "date: %s\n", time.Now().UTC().Format(time.DateOnly))
	fmt.Fprintf(&out, "machine: %s\n", machine())
	fmt.Fprintf(&out, "redis: %s\n", redisVersion())
	if !canPin {
		fmt.Fprintln(&out, "no-pinning: taskset is missing")
	}
	fmt.Fprintf(&out, "modules: %s\n", strings.Join(modules, ", "))
	return out.String()
}

// machine returns the processor, cores, system and Go version.
func machine() string {
	facts, _ := os.ReadFile("/proc/cpuinfo") // elsewhere the processor has no name
	return describe(cpuModel(string(facts)), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

func describe(cpu string, cores int, system, arch, version string) string {
	if cpu == "" {
		cpu = "unknown processor"
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s", cpu, cores, system, arch, version)
}

func cpuModel(facts string) string {
	for line := range strings.Lines(facts) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

var versionOfServer = regexp.MustCompile(`\bv=([0-9][0-9.]*)`)

// redisVersion returns the name and version of the server that is started.
func redisVersion() string {
	for _, name := range []string{"redis-server", "valkey-server"} {
		out, err := exec.Command(name, "--version").Output()
		if err != nil {
			continue
		}
		if m := versionOfServer.FindSubmatch(out); m != nil {
			return name + " " + string(m[1])
		}
		return name
	}
	return "none"
}
