package cache

import (
	"encoding/json"
	"time"
)

// ProblemCode names a kind of Problem. Stores have constants for their codes, which keep
// their meaning: compare them, and not texts.
type ProblemCode string

// Problem is something about the servers of a store, or about the rights and settings
// there, that keeps the store from one of its promises or makes it do more work. It is
// the Err of the events ProblemFound and ProblemSolved, where errors.As finds it, and
// is listed in the Status of a space for as long as it lasts.
//
// A Problem has no keys or values in it, but names of commands, channels and settings,
// and errors as servers return them.
type Problem struct {
	Code ProblemCode
	// Subject is what the problem is about, such as a command, a channel or a setting. A
	// store has at most one problem of one code and subject at a time.
	Subject string
	// Effect says which promise does not hold for that, or what it costs.
	Effect string
	// Remedy says what to grant, set or change.
	Remedy string
	// Err is the error that showed the problem; it may be nil.
	Err error
	// Since is when the problem was found.
	Since time.Time
}

// Error returns the problem in one line.
func (p *Problem) Error() string {
	s := "larder: " + string(p.Code) + " (" + p.Subject + "): " + p.Effect
	if p.Remedy != "" {
		s += "; " + p.Remedy
	}
	if p.Err != nil {
		s += ": " + p.Err.Error()
	}
	return s
}

// Unwrap returns the error that showed the problem.
func (p *Problem) Unwrap() error { return p.Err }

// MarshalJSON writes the error as text.
func (p Problem) MarshalJSON() ([]byte, error) {
	out := struct {
		Code    ProblemCode `json:"code"`
		Subject string      `json:"subject"`
		Effect  string      `json:"effect"`
		Remedy  string      `json:"remedy,omitempty"`
		Err     string      `json:"error,omitempty"`
		Since   *time.Time  `json:"since,omitempty"`
	}{Code: p.Code, Subject: p.Subject, Effect: p.Effect, Remedy: p.Remedy}
	if p.Err != nil {
		out.Err = p.Err.Error()
	}
	if !p.Since.IsZero() {
		out.Since = &p.Since
	}
	return json.Marshal(out)
}
