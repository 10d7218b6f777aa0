package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/redisstore"
	"github.com/redis/go-redis/v9"
)

type wrapped struct{ *redis.ClusterClient }

type unwrapping struct{ redis.UniversalClient }

func (u unwrapping) Unwrap() redis.UniversalClient { return u.UniversalClient }

type circular struct{ redis.UniversalClient }

func (c *circular) Unwrap() redis.UniversalClient { return c }

func TestOpen_RefusesClientsWhoseOptionsAreNotKnown(t *testing.T) {
	cluster := redistest.ClusterClient(t)
	for name, c := range map[string]struct {
		rdb  redis.UniversalClient
		want string
	}{
		"wrapped":          {wrapped{cluster}, "Unwrap() redis.UniversalClient"},
		"wraps itself":     {&circular{}, "wraps itself"},
		"nil":              {nil, "nil"},
		"typed nil":        {(*redis.Client)(nil), "nil"},
		"typed nil, other": {(*redis.ClusterClient)(nil), "nil"},
		"wraps nil":        {unwrapping{}, "nil"},
	} {
		if _, err := redisstore.Open(t.Context(), c.rdb, "shop", nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Open: %v", name, err)
		}
		if _, err := redisstore.NewInspector(c.rdb, "shop"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: NewInspector: %v", name, err)
		}
		if _, err := redisstore.Check(t.Context(), c.rdb, "shop", nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: Check: %v", name, err)
		}
	}
}

func TestOpen_UnwrapsAClientThatSaysWhatItWraps(t *testing.T) {
	for name, rdb := range map[string]redis.UniversalClient{"single": redistest.Client(t), "cluster": redistest.ClusterClient(t)} {
		t.Run(name, func(t *testing.T) {
			a, b := open(t, unwrapping{unwrapping{rdb}}, "unwrapped"), open(t, rdb, "unwrapped")
			fill(t, redisstore.New[string, string](a, "s", nil), "k", entry("v", "tag"))
			want(t, redisstore.New[string, string](b, "s", nil), "k", "v") // by the same keys
			look, err := redisstore.NewInspector(unwrapping{rdb}, "unwrapped")
			if err != nil {
				t.Fatal(err)
			}
			if got, err := look.Key(t.Context(), "s", "k"); err != nil || !got.Hit() {
				t.Errorf("the Inspector finds %+v, %v", got, err)
			}
		})
	}
}

func TestOpen_ClusterBehindAClientForOneServer(t *testing.T) {
	node := redis.NewClient(&redis.Options{Addr: redistest.Cluster(t).Addrs()[0]})
	defer node.Close()
	_, err := redisstore.Open(t.Context(), node, "shop", &redisstore.Options{Timeout: 10 * time.Second})
	p, ok := errors.AsType[*cache.Problem](err)
	if !ok || p.Code != redisstore.ProblemClusterMode || !strings.Contains(err.Error(), "redis.NewClusterClient") {
		t.Errorf("Open: %v", err)
	}
	report, err := redisstore.Check(t.Context(), node, "shop", nil)
	if all := report.Problems(); err != nil || len(all) != 1 || all[0].Code != redisstore.ProblemClusterMode {
		t.Errorf("Check: %+v, %v", all, err)
	}
}

func TestOpen_OneServerBehindAClientForClusters(t *testing.T) {
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{redistest.Standalone(t).Addr()}})
	defer cluster.Close()
	_, err := redisstore.Open(t.Context(), cluster, "shop", &redisstore.Options{Timeout: 10 * time.Second})
	p, ok := errors.AsType[*cache.Problem](err)
	if !ok || p.Code != redisstore.ProblemClusterMode || !strings.Contains(err.Error(), "redis.NewClient") {
		t.Errorf("Open: %v", err)
	}
	report, err := redisstore.Check(t.Context(), cluster, "shop", nil)
	if all := report.Problems(); err != nil || len(all) != 1 || all[0].Code != redisstore.ProblemClusterMode {
		t.Errorf("Check: %+v, %v", all, err)
	}
}

// TestProblems_AServerThatIsFoundToBeOfAnotherKind is of servers that were down when the
// space was opened.
func TestProblems_AServerThatIsFoundToBeOfAnotherKind(t *testing.T) {
	for name, c := range map[string]func(dial func(ctx context.Context) error) redis.UniversalClient{
		"cluster behind a client for one": func(down func(context.Context) error) redis.UniversalClient {
			return redis.NewClient(&redis.Options{Addr: redistest.Cluster(t).Addrs()[0], OnConnect: func(ctx context.Context, _ *redis.Conn) error { return down(ctx) }})
		},
		"one behind a client for clusters": func(down func(context.Context) error) redis.UniversalClient {
			return redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{redistest.Standalone(t).Addr()}, OnConnect: func(ctx context.Context, _ *redis.Conn) error { return down(ctx) }})
		},
	} {
		t.Run(name, func(t *testing.T) {
			up := make(chan struct{})
			rdb := c(func(context.Context) error {
				select {
				case <-up:
					return nil
				default:
					return errors.New("down")
				}
			})
			defer rdb.Close()
			space, err := redisstore.Open(t.Context(), rdb, "otherkind", &redisstore.Options{Lease: shortLease, Timeout: 10 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer space.Close(context.Background())
			close(up)
			s := redisstore.New[string, string](space, "s", nil)
			eventually(t, func() string { return "the problem is not named" }, func() bool {
				s.Get(t.Context(), "k")
				all := space.Problems()
				return len(all) == 1 && all[0].Code == redisstore.ProblemClusterMode
			})
		})
	}
}
