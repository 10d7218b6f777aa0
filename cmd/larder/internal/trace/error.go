package trace

import "fmt"

// Error says in one line why a trace cannot be used: the file, what is wrong
// with it, and what to do.
type Error struct {
	// File is the name the trace was opened under.
	File string
	// Problem is what is wrong.
	Problem string
	// Remedy is what to do about it.
	Remedy string
}

// Error returns "FILE: PROBLEM; REMEDY".
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s; %s", e.File, e.Problem, e.Remedy)
}

func (e *Error) in(file string) *Error {
	e.File = file
	return e
}

func fault(remedy, problem string, args ...any) *Error {
	return &Error{Problem: fmt.Sprintf(problem, args...), Remedy: remedy}
}

// excerpt quotes the start of a line for an error message.
func excerpt(line []byte) string {
	const most = 40
	if len(line) > most {
		return fmt.Sprintf("%q...", line[:most])
	}
	return fmt.Sprintf("%q", line)
}
