package redisproc

import (
	"errors"
	"fmt"
	"os/exec"
)

// ErrNotInstalled is the error of Start and StartCluster on a machine that has
// no server, and says how it gets one.
var ErrNotInstalled = errors.New("there is no redis-server or valkey-server in the PATH: install one (Debian and Ubuntu: apt-get install redis-server; macOS: brew install redis)")

// find returns the path of the program.
func find(bin string) (string, error) {
	if bin != "" {
		path, err := exec.LookPath(bin)
		if err != nil {
			return "", fmt.Errorf("the server: %w", err)
		}
		return path, nil
	}
	for _, name := range []string{"redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNotInstalled
}
