package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Exit codes of larder.
const (
	exitOK        = 0
	exitRun       = 1   // the command was sound but failed
	exitUsage     = 2   // wrong usage or bad input
	exitInterrupt = 130 // ended by an interrupt
)

// exitError is an error that decides the exit code. Without err the command
// has already said what failed, and nothing more is printed.
type exitError struct {
	code int
	err  error
}

// Error implements error.
func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

// Unwrap returns the cause.
func (e *exitError) Unwrap() error { return e.err }

// usageError is an exitError for wrong usage or bad input.
func usageError(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// verdict returns the exit code for the error of a command that ran under ctx
// and the line to print, if any.
func verdict(ctx context.Context, err error) (code int, line string) {
	if err == nil {
		return exitOK, ""
	}
	if ctx.Err() != nil {
		return exitInterrupt, errorLine("interrupted")
	}
	code = exitUsage // the errors of commands carry a code; see separateUsage
	if e, ok := errors.AsType[*exitError](err); ok {
		if e.err == nil {
			return e.code, ""
		}
		code = e.code
	}
	return code, errorLine(err.Error())
}

func errorLine(message string) string {
	return "larder: " + oneLine(message) + "\n"
}

// oneLine keeps s, which may hold a hostile file name, from breaking the line
// or steering the terminal.
func oneLine(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}
