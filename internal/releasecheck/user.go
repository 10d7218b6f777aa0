package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// userProgram uses memory, Redis and loading, as the README shows them.
const userProgram = `package main

import (
	"context"
	"fmt"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

func load(_ context.Context, id int64) (string, error) { return fmt.Sprint("user ", id), nil }

func main() {
	ctx := context.Background()
	space, err := redisstore.Open(ctx, redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}), "shop", nil)
	if err == nil {
		defer space.Close(ctx)
		_ = cache.Tiered(memstore.New[int64, string](space.Domain, 1000, nil), redisstore.New[int64, string](space, "users", nil))
	}
	users := aside.New(memstore.New[int64, string](nil, 1000, nil), load, invalidation.TTL(time.Minute), nil)
	defer users.Close(ctx)
	fmt.Println(users.Get(ctx, 42))
}
`

// modulesFile lists what the library may require, first what users get.
const modulesFile = "scripts/modules.txt"

// user builds and runs a program that uses the library, in a module of its own.
func (c *check) user(ctx context.Context) error {
	dir := filepath.Join(c.dir, "user")
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(userProgram), 0o666); err != nil {
		return err
	}
	for _, args := range [][]string{{"mod", "init", "example.com/user"}, {"get", root + "@" + c.version}, {"mod", "tidy"}} {
		if _, err := output(ctx, dir, c.env, "go", args...); err != nil {
			return err
		}
	}
	line, err := output(ctx, dir, c.env, "go", "run", ".")
	if err != nil {
		return err
	}
	if line != "user 42 <nil>" {
		return fmt.Errorf("a user's program prints %q", line)
	}
	m, err := readGoMod(ctx, filepath.Join(dir, "go.mod"))
	if err != nil {
		return err
	}
	allowed, err := os.ReadFile(modulesFile)
	if err != nil {
		return err
	}
	fmt.Println("a user of the library requires:")
	for _, r := range m.Require {
		fmt.Printf("  %s %s\n", r.Path, r.Version)
	}
	return m.judge(c.version, library(string(allowed)))
}

// judge checks what a user of the library must require.
func (m goMod) judge(version string, allowed []string) error {
	for _, r := range m.Require {
		switch {
		case r.Path == root && r.Version != version:
			return fmt.Errorf("a user gets %s in place of %s", r.Version, version)
		case r.Path != root && !slices.Contains(allowed, r.Path):
			return fmt.Errorf("a user of the library must require %s, which is not under \"The library\" in %s", r.Path, modulesFile)
		}
	}
	return nil
}

// library returns the first paragraph of the list of modules after its comment: those
// that are not for tests.
func library(text string) (modules []string) {
	_, text, _ = strings.Cut(text, "# The library\n")
	text, _, _ = strings.Cut(text, "\n\n")
	return strings.Fields(text)
}
