//go:build unix

package redisstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
	"github.com/redis/go-redis/v9"
)

const (
	boardRows     = 8
	boardVersions = 4096
	boardChildren = 3
	boardPhases   = 3 // before the faults, during, after
)

// board is memory that the processes of a test share: the origin, and what they
// have seen. Times are in nanoseconds of the machine's clock.
type board struct {
	stop, phase atomic.Int64
	version     [boardRows]atomic.Int64
	// returned is when the invalidation that came with a version returned.
	returned [boardRows][boardVersions]atomic.Int64
	children [boardChildren]struct {
		reads, failed, lag, late atomic.Int64
		hits                     [boardPhases]atomic.Int64
	}
}

// child says what a process of the test does.
type child struct {
	Index    int
	File     string
	Kind     string // single, cluster or sentinel
	Addrs    []string
	Master   string
	Lease    time.Duration
	Behind   time.Duration
	Do       string // read, die or talk
	FailHere string
	NoBus    bool
	Skew     time.Duration // of its clock
	Roots    []byte        // whom it trusts, in PEM; nil is no TLS
}

func client(kind, master string, addrs []string, roots []byte) redis.UniversalClient {
	var secure *tls.Config
	if roots != nil {
		secure = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		secure.RootCAs.AppendCertsFromPEM(roots)
	}
	switch kind {
	case "cluster":
		return redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs, TLSConfig: secure})
	case "sentinel":
		return redis.NewFailoverClient(&redis.FailoverOptions{MasterName: master, SentinelAddrs: addrs, TLSConfig: secure})
	}
	return redis.NewClient(&redis.Options{Addr: addrs[0], TLSConfig: secure})
}

// openBoard maps a file that was made by newBoard.
func openBoard(file string) (*board, error) {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := syscall.Mmap(int(f.Fd()), 0, int(unsafe.Sizeof(board{})), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*board)(unsafe.Pointer(&b[0])), nil
}

func newBoard(t testing.TB) (string, *board) {
	file := filepath.Join(t.TempDir(), "board")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, int64(unsafe.Sizeof(board{}))); err != nil {
		t.Fatal(err)
	}
	b, err := openBoard(file)
	if err != nil {
		t.Fatal(err)
	}
	return file, b
}

// start runs this binary again as a child, until the board says stop.
func (c child) start(t testing.TB) *exec.Cmd {
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LARDER_CHILD="+string(text))
	cmd.Stderr = os.Stderr
	if os.Getenv("LARDER_CHILD_LOG") == "" {
		cmd.Stderr = nil
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// childMain is the program of a child.
func childMain(text string) {
	var c child
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		panic(err)
	}
	if c.Do == "talk" {
		c.obey()
	}
	b, err := openBoard(c.File)
	if err != nil {
		panic(err)
	}
	rdb := client(c.Kind, c.Master, c.Addrs, c.Roots)
	space, err := Open(context.Background(), rdb, "board", &Options{Lease: c.Lease, Behind: c.Behind})
	if err != nil {
		panic(err)
	}
	if c.Do == "die" {
		c.die(b, space)
	}
	c.read(b, space)
}

// row returns the tag of a row.
func rowTag(k int) string { return fmt.Sprint("row:", k) }

func (b *board) load(_ context.Context, k int) (int64, error) { return b.version[k].Load(), nil }

// loader returns a Loader with memory in front of Redis.
func (b *board) loader(space *Space, o cache.Observer) *aside.Loader[int, int64] {
	l1 := memstore.New(space.Domain, 100, &memstore.Options[int, int64]{Observer: o})
	store := cache.Tiered(l1, New[int, int64](space, "rows", nil))
	return aside.New(store, b.load, invalidation.TTL(time.Hour), &aside.Options[int, int64]{
		Tags: func(k int, _ int64) []string { return []string{rowTag(k)} },
	})
}

// hitsByPhase counts hits of memory.
type hitsByPhase struct {
	b *board
	i int
}

func (h hitsByPhase) Observe(e cache.Event) {
	if e.Kind == cache.Hit {
		h.b.children[h.i].hits[h.b.phase.Load()].Add(1)
	}
}

// read reads rows and notes how long after its invalidation had returned an old
// value was served.
func (c child) read(b *board, space *Space) {
	users := b.loader(space, hitsByPhase{b, c.Index})
	me := &b.children[c.Index]
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			pause := time.NewTicker(100 * time.Microsecond)
			defer pause.Stop()
			for b.stop.Load() == 0 {
				<-pause.C
				for range 20 {
					k := rand.IntN(boardRows)
					began := time.Now()
					v, err := users.Get(context.Background(), k)
					served := time.Now()
					me.reads.Add(1)
					if err != nil {
						me.failed.Add(1)
						continue
					}
					if served.Sub(began) > 5*time.Millisecond {
						served = began // it has waited for something, or was not running
					}
					if r := b.returned[k][v+1].Load(); r != 0 {
						raise64(&me.lag, served.UnixNano()-r)
						raise64(&me.late, began.UnixNano()-r)
					}
				}
			}
		})
	}
	wg.Wait()
	os.Exit(0)
}

// die writes a row and dies right after the commit of the origin.
func (c child) die(b *board, space *Space) {
	users := b.loader(space, nil)
	commit := func(context.Context) error {
		b.version[0].Add(1)
		os.Exit(7)
		return nil
	}
	if c.FailHere == "Mutate" {
		space.Mutate(context.Background(), []invalidation.Target{users.Key(0), invalidation.Tag(rowTag(0))}, commit)
	}
	commit(context.Background())
}
