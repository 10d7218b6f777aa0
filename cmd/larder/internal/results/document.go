// Package results is what a run found out, in a form that knows nothing of how: figures
// with names, charts and tables as data. Whatever shows, compares or judges results reads
// a Document alone, so that a new scenario has all of that at once.
package results

import (
	"encoding/json"
	"time"

	"github.com/larder-cache/larder/cmd/larder/internal/server"
)

// Schema names the layout of a Document in JSON. Fields may be added under the same
// name; any other change gives it a new number.
const Schema = "larder.results/1"

// Document is all that a run found out.
type Document struct {
	Schema      string      `json:"schema"`
	Title       string      `json:"title"`
	Version     string      `json:"larder_version"`
	Command     []string    `json:"command"` // what was typed, the program's name first
	Started     time.Time   `json:"started"`
	Took        Duration    `json:"took_ns"`
	Interrupted bool        `json:"interrupted"`
	Seed        uint64      `json:"seed"`
	Environment Environment `json:"environment"`
	Server      server.Info `json:"server"`
	// Config is every flag of the command that was run, by name: a config file that
	// repeats the run.
	Config   json.RawMessage `json:"config,omitempty"`
	Sections []*Section      `json:"sections"`
}

// Section is what one scenario found out.
type Section struct {
	Name       string      `json:"name"` // of the scenario, as it is typed
	Title      string      `json:"title"`
	Intro      string      `json:"intro,omitempty"` // what was done, in a sentence or two
	Facts      []Fact      `json:"facts,omitempty"` // under what conditions
	Tables     []Table     `json:"tables,omitempty"`
	Charts     []Chart     `json:"charts,omitempty"`
	Notes      []Note      `json:"notes,omitempty"`
	Metrics    []Metric    `json:"metrics"`
	Histograms []Histogram `json:"histograms,omitempty"`
}

// Fact is a condition of a run, such as the workload.
type Fact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Note is something that a reader of the figures must know.
type Note struct {
	Level Level  `json:"level"`
	Text  string `json:"text"`
}

// Level says how much a note matters.
type Level string

// The levels of notes.
const (
	Info Level = "info" // explains
	Warn Level = "warn" // the figures are worth less than they seem
	Fail Level = "fail" // a promise was broken; the exit code is 3
)

// Table is a table for people. Cells are formatted; a machine reads metrics.
type Table struct {
	Title   string     `json:"title,omitempty"`
	Columns []string   `json:"columns"` // the first names the rows
	Rows    [][]string `json:"rows"`
	Note    string     `json:"note,omitempty"`
}

// Histogram is all of a distribution of durations.
type Histogram struct {
	Name string `json:"name"` // that of its metrics, without the quantile: "aside.get"
	// Encoded is an HDR histogram of nanoseconds in the compressed V2 encoding, in base64.
	Encoded string `json:"hdr"`
}
