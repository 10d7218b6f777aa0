// Command larder measures caches, and simulates eviction policies on request
// traces, from the command line.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}

// run executes larder with the given arguments and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	// A second interrupt ends the process at once, even amid a blocked read.
	context.AfterFunc(ctx, stop)

	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	code, line := verdict(ctx, root.ExecuteContext(ctx))
	io.WriteString(stderr, line)
	return code
}
