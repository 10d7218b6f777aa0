package strategy

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/larder-cache/larder/cmd/larder/internal/simdb"
	"github.com/larder-cache/larder/cmd/larder/internal/workload"
	"github.com/redis/go-redis/v9"
)

func TestParse(t *testing.T) {
	if all, err := Parse(""); err != nil || len(all) != 7 {
		t.Errorf("all are %d, %v", len(all), err)
	}
	some, err := Parse("write-through, none,l1,l1")
	if err != nil || len(some) != 3 || some[0].Flag != "none" || some[2].Name != "write-through" {
		t.Errorf("some are %+v, %v", some, err)
	}
	if _, err := Parse("l1,l9"); err == nil || !strings.Contains(err.Error(), `"l9"`) {
		t.Errorf("error is %v", err)
	}
}

// TestStrategies follows a row through each strategy and counts what the
// database is asked.
func TestStrategies(t *testing.T) {
	for _, k := range Catalog() {
		t.Run(k.Flag, func(t *testing.T) {
			m := miniredis.RunT(t)
			client := redis.NewClient(&redis.Options{Addr: m.Addr()})
			t.Cleanup(func() { client.Close() })
			db := simdb.New(simdb.Settings{Rows: 100, GroupSize: 10, Connections: 4, Body: func(uint32) string { return "12345678" }})
			s, err := k.Open(t.Context(), db, Setup{Capacity: 50, TTL: workload.Fixed(float64(time.Minute), "1m"), Redis: client, Namespace: "run"})
			if err != nil {
				t.Fatal(err)
			}
			follow(t, k, s, db)
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
			for _, key := range m.Keys() {
				if !strings.HasPrefix(key, "run-"+k.Flag+":") {
					t.Errorf("a key outside of the namespace: %q", key)
				}
			}
			if remote := k.Flag != "none" && k.Flag != "l1"; remote != (len(m.Keys()) > 0) {
				t.Errorf("there are %d keys in Redis", len(m.Keys()))
			}
		})
	}
}

func follow(t *testing.T, k Kind, s Strategy, db *simdb.DB) {
	t.Helper()
	ctx := t.Context()
	expect := func(when string, version uint64, reads int64) {
		t.Helper()
		if k.Flag == "none" {
			reads = 1
		}
		row, err := s.Get(ctx, 42)
		if err != nil || row.ID != 42 || row.Group != 4 || row.Version != version || len(row.Body) != 8 {
			t.Errorf("%s: the row is %+v, %v", when, row, err)
		}
		if got := db.TakeStats().Reads; got != reads {
			t.Errorf("%s: %d reads of the database, not %d", when, got, reads)
		}
	}
	expect("at first", 1, 1)
	// A fill may still be on its way when the first Get has its answer.
	deadline := time.Now().Add(5 * time.Second)
	for k.Flag != "none" && time.Now().Before(deadline) {
		if s.Get(ctx, 42); db.TakeStats().Reads == 0 {
			break
		}
	}
	expect("again", 1, 0)

	if row, err := s.Write(ctx, 42); err != nil || row.Version != 2 {
		t.Errorf("the write gives %+v, %v", row, err)
	}
	written := int64(1)
	if k.Flag == "write-through" {
		written = 0
	}
	expect("after a write", 2, written)

	if rows, err := s.UpdateGroup(ctx, 4); err != nil || len(rows) != 10 || rows[2].Version != 3 {
		t.Errorf("the update gives %+v, %v", rows, err)
	}
	expect("after the update of its group", 3, 1)
	if rows, err := s.UpdateGroup(ctx, 5); err != nil || len(rows) != 10 {
		t.Errorf("the update gives %+v, %v", rows, err)
	}
	if row, err := s.Get(ctx, 42); err != nil || row.Version != 3 {
		t.Errorf("after the update of another group the row is %+v, %v", row, err)
	}
}
