package aside_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/larder-cache/larder/aside"
	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/invalidation"
	"github.com/larder-cache/larder/memstore"
)

// A row with the number of its version, so that it need not be read again.
type Row struct {
	Version int
	Text    string
}

// A load function that is shown the value from before can find out cheaply that
// it still holds.
func ExampleOld() {
	ctx := context.Background()
	load := func(ctx context.Context, id int) (Row, error) {
		if old, ok := aside.Old[Row](ctx); ok {
			fmt.Println("SELECT version WHERE id =", id)
			if old.Version == 1 {
				return Row{}, cache.ErrNotModified
			}
		}
		fmt.Println("SELECT * WHERE id =", id)
		return Row{Version: 1, Text: "hello"}, nil
	}
	policy := invalidation.Policy{Fresh: 20 * time.Millisecond, IfError: time.Hour}
	rows := aside.New(memstore.New[int, Row](nil, 100, nil), load, policy, nil)

	rows.Get(ctx, 7)
	time.Sleep(50 * time.Millisecond)
	row, err := rows.Get(ctx, 7)
	fmt.Println(row.Text, err)
	rows.Close(ctx)
	// Output:
	// SELECT * WHERE id = 7
	// SELECT version WHERE id = 7
	// hello <nil>
}

// While the origin fails, what was loaded before is better than an error.
func ExampleOptions_failing() {
	ctx := context.Background()
	down := false
	load := func(_ context.Context, id int) (string, error) {
		if down {
			return "", errors.New("connection refused")
		}
		return "hello", nil
	}
	policy := invalidation.Policy{Fresh: 20 * time.Millisecond, IfError: time.Hour}
	texts := aside.New(memstore.New[int, string](nil, 100, nil), load, policy, &aside.Options[int, string]{
		LoadTimeout: 2 * time.Second,
		SoftTimeout: 100 * time.Millisecond,
		Limits:      aside.Limits{Loads: 50, Queue: 500},
	})

	texts.Get(ctx, 7)
	time.Sleep(50 * time.Millisecond)
	down = true
	text, err := texts.Get(ctx, 7)
	fmt.Println(text, err)
	_, err = texts.Get(ctx, 8)
	fmt.Println(err)
	texts.Close(ctx)
	// Output:
	// hello <nil>
	// connection refused
}
