package results

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// Environment is where a run took place.
type Environment struct {
	Go         string `json:"go"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	Kernel     string `json:"kernel,omitempty"`
	CPU        string `json:"cpu,omitempty"`
	CPUs       int    `json:"cpus"`
	Quota      string `json:"cpu_quota,omitempty"` // processors that the control group allows
	GOMAXPROCS int    `json:"gomaxprocs"`
	GOGC       string `json:"gogc,omitempty"` // if it was set
	GOMEMLIMIT string `json:"gomemlimit,omitempty"`
	Revision   string `json:"revision,omitempty"` // of the source, "+dirty" if it was changed
}

// ThisEnvironment returns the environment of this process. What a system does not tell is
// left out.
func ThisEnvironment() Environment {
	read := func(path string) string {
		text, _ := os.ReadFile(path)
		return strings.TrimSpace(string(text))
	}
	return Environment{
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, Kernel: read("/proc/sys/kernel/osrelease"),
		CPU: cpuModel(read("/proc/cpuinfo")), CPUs: runtime.NumCPU(), Quota: cpuQuota(read("/sys/fs/cgroup/cpu.max")),
		GOMAXPROCS: runtime.GOMAXPROCS(0), GOGC: os.Getenv("GOGC"), GOMEMLIMIT: os.Getenv("GOMEMLIMIT"), Revision: revision(),
	}
}

func cpuModel(facts string) string {
	for line := range strings.Lines(facts) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// cpuQuota reads the quota and the period of a control group, "" if there is no limit.
func cpuQuota(text string) string {
	quota, period, _ := strings.Cut(text, " ")
	q, err1 := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	if err1 != nil || err2 != nil || p <= 0 {
		return ""
	}
	return Amount(q / p)
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	of := map[string]string{}
	for _, s := range info.Settings {
		of[s.Key] = s.Value
	}
	if of["vcs.modified"] == "true" {
		return of["vcs.revision"] + "+dirty"
	}
	return of["vcs.revision"]
}

// String returns the environment as one line.
func (e Environment) String() string {
	s := fmt.Sprintf("%s %s/%s, GOMAXPROCS %d", e.Go, e.OS, e.Arch, e.GOMAXPROCS)
	if e.Quota != "" {
		s += ", quota " + e.Quota
	}
	if e.CPU != "" {
		s += ", " + e.CPU
	}
	return s
}
