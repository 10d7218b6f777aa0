package results

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Environment is where a run took place.
type Environment struct {
	Go         string `json:"go"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	CPU        string `json:"cpu,omitempty"`
	CPUs       int    `json:"cpus"`
	GOMAXPROCS int    `json:"gomaxprocs"`
}

// ThisEnvironment returns the environment of this process.
func ThisEnvironment() Environment {
	facts, _ := os.ReadFile("/proc/cpuinfo") // elsewhere the CPU has no name
	return Environment{
		Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(string(facts)),
		CPUs: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0),
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

// String returns the environment as one line.
func (e Environment) String() string {
	s := fmt.Sprintf("%s %s/%s, GOMAXPROCS %d", e.Go, e.OS, e.Arch, e.GOMAXPROCS)
	if e.CPU != "" {
		s += ", " + e.CPU
	}
	return s
}
