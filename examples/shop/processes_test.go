package main

import (
	"crypto/rand"
	"testing"
	"time"
)

// behind is how far a process may be behind others in this test.
const behind = time.Second

// TestProcessesShareWhatTheyKnow has processes with one database and one Redis.
// What one has changed, another sees at once if it must ask Redis, and in any
// case when Options.Fresh is over.
func TestProcessesShareWhatTheyKnow(t *testing.T) {
	repo, name := openRepo(t), "shop-"+rand.Text()
	process := func() *Shop { return NewShop(repo, Options{Fresh: behind, Space: openSpace(t, name)}) }
	one, two, three := process(), process(), process()
	id := add(t, one, "fruit", "apple")[0]
	key := PageKey{"fruit", 0, 3}
	reloaded(t, repo, one, key)
	product(t, repo, one, id)
	if n := queries(repo, func() {
		two.Product(t.Context(), id)
		two.Page(t.Context(), key)
	}); n != 0 {
		t.Errorf("the second process loads for itself: %d queries", n)
	}
	if _, err := three.SetPrice(t.Context(), id, 250); err != nil {
		t.Fatal(err)
	}
	changed := time.Now()
	newcomer := process()
	if p, n, err := product(t, repo, newcomer, id); p.Price != 250 || n != 0 || err != nil {
		t.Errorf("a process without memory of it reads %+v with %d queries, %v", p, n, err)
	}
	if got := reloaded(t, repo, newcomer, key); len(got) != 1 {
		t.Error("a process without memory of it finds the old page")
	}
	time.Sleep(behind - time.Since(changed))
	if p, err := two.Product(t.Context(), id); p.Price != 250 || err != nil {
		t.Errorf("after %v, the second process still reads %+v, %v", behind, p, err)
	}
	if page, err := two.Page(t.Context(), key); err != nil || page.Products[0].Price != 250 {
		t.Errorf("after %v, the second process still has the page %+v, %v", behind, page, err)
	}
}
