package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/results"
	"github.com/larder-cache/larder/cmd/larder/internal/server"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
)

// Schema names the layout of the JSON of a Report. Fields may be added under
// the same name; any other change gives it a new number.
const Schema = "larder.bench/v1"

// Report is all that a run found out.
type Report struct {
	Schema      string              `json:"schema"`
	Version     string              `json:"larder_version"`
	Started     time.Time           `json:"started"`
	Interrupted bool                `json:"interrupted"`
	Environment results.Environment `json:"environment"`
	Server      server.Info         `json:"server"`
	Config      Config              `json:"config"`
	Sequence    Recorded            `json:"sequence"`
	Calibration simdb.Calibration   `json:"calibration"`
	Rate        float64             `json:"rate"` // planned operations a second
	Strategies  []Result            `json:"strategies"`
}

// Recorded identifies the sequence of operations.
type Recorded struct {
	Ops    int    `json:"operations"`
	SHA256 string `json:"sha256"`
}

// NewReport returns the report of a run that is about to begin.
func NewReport(config Config, version string, on server.Info) *Report {
	return &Report{
		Schema: Schema, Version: version, Started: time.Now().UTC().Truncate(time.Second),
		Environment: results.ThisEnvironment(), Server: on, Config: config,
	}
}

// StaleReads returns the number of stale reads of all strategies.
func (r *Report) StaleReads() (n int64) {
	for _, s := range r.Strategies {
		n += s.StaleReads
	}
	return n
}

// Write writes the report as JSON into a directory, which it makes if need be,
// and returns the path.
func (r *Report) Write(dir string) (string, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "results.json")
	return path, os.WriteFile(path, append(data, '\n'), 0o666)
}
