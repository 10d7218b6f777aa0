// Command survive lets caching libraries meet the same accidents and prints, as a
// table, which of them survive what. Each case runs in a process of its own, on a
// Redis of its own.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/larder-cache/larder/internal/redisproc"
)

func main() {
	library := flag.String("library", "", "run one case, of this library")
	accident := flag.String("case", "", "the case to run")
	flag.Parse()
	if *library != "" {
		os.Exit(one(*library, *accident))
	}
	if err := table(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "survive:", err)
		os.Exit(1)
	}
}

// one runs a case and prints what came of it.
func one(library, name string) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	redis, err := redisproc.Start(ctx, redisproc.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer redis.Stop()
	for _, l := range libraries {
		for _, c := range cases {
			if l.name == library && c.name == name {
				fmt.Println(c.run(ctx, &stage{redis: redis, library: l}))
				return 0
			}
		}
	}
	fmt.Fprintf(os.Stderr, "there is no library %q with a case %q\n", library, name)
	return 1
}

func table(ctx context.Context) error {
	fmt.Println("# Who survives what")
	fmt.Println()
	fmt.Printf("Made by `make survive` on %s, %s, %s/%s. Each case ran in a process and on a Redis of its own.\n",
		time.Now().UTC().Format(time.DateOnly), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	fmt.Println("**Bold** is what a user would not expect. A time is how long the caller waited; reads were given 5 s.")
	fmt.Println()
	fmt.Print("| |")
	for _, l := range libraries {
		fmt.Printf(" %s |", l.name)
	}
	fmt.Print("\n|---|")
	for range libraries {
		fmt.Print("---|")
	}
	fmt.Print("\n| version |")
	for _, l := range libraries {
		fmt.Printf(" %s |", version(l.module))
	}
	fmt.Print("\n| where values are |")
	for _, l := range libraries {
		fmt.Printf(" %s |", l.where)
	}
	fmt.Println()
	for _, c := range cases {
		fmt.Printf("| %s |", c.name)
		for _, l := range libraries {
			if c.redis && !l.redis {
				fmt.Print(" – |")
				continue
			}
			fmt.Printf(" %s |", apart(ctx, l.name, c.name))
		}
		fmt.Println()
	}
	fmt.Println()
	fmt.Println("Each library was used as its documentation shows: its own loading call where it has one, otherwise read, load and store,")
	fmt.Println("and its own deletion as the invalidation. eko/gocache, jetcache-go and rueidisaside could not be had as modules where this was made.")
	return nil
}

// apart runs a case in another process, which may die of it.
func apart(ctx context.Context, library, name string) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-library", library, "-case", name)
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "**it hangs for ever**"
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if strings.Contains(string(exit.Stderr), "panic: ") {
			return "**the program dies**"
		}
		return "**" + strings.TrimSpace(strings.SplitN(string(exit.Stderr)+err.Error(), "\n", 2)[0]) + "**"
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}

// version returns the version of a module that was built in.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "?"
	}
	for _, d := range info.Deps {
		if d.Path == module && d.Replace == nil && d.Version != "(devel)" {
			return d.Version
		}
	}
	return "this one"
}
