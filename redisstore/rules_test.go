package redisstore

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/larder-cache/larder/cache"
	"github.com/larder-cache/larder/internal/redistest"
	"github.com/larder-cache/larder/invalidation"
	"github.com/redis/go-redis/v9"
)

// Rules of the protocol that other tests meet by chance only, each in the one
// schedule that shows it.

// hook lets a test act around each trip of a client.
type hook struct {
	before, after func(commands []redis.Cmder)
}

func (h hook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h hook) around(cmds []redis.Cmder, do func() error) error {
	if h.before != nil {
		h.before(cmds)
	}
	err := do()
	if h.after != nil {
		h.after(cmds)
	}
	return err
}

func (h hook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return h.around([]redis.Cmder{cmd}, func() error { return next(ctx, cmd) })
	}
}

func (h hook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return h.around(cmds, func() error { return next(ctx, cmds) })
	}
}

// anEntry returns an entry that is fresh for a minute.
func anEntry[V any](v V, tags ...string) *cache.Entry[V] {
	now := cache.Now()
	return &cache.Entry[V]{Value: v, Tags: tags, Fresh: now.Add(time.Minute), Expires: now.Add(time.Minute)}
}

// loadDuring reserves, lets others act while the load runs, and commits.
func loadDuring(t *testing.T, s *Store[string, string], slot cache.Slot[string], others func(), e *cache.Entry[string]) cache.Outcome {
	t.Helper()
	f, err := s.Reserve(t.Context(), slot)
	if err != nil {
		t.Fatal(err)
	}
	others()
	out, err := f.Commit(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestALateTagWhoseTailIsLostIsNotStored(t *testing.T) {
	space, s := scriptStore(t)
	slot := cache.Slot[string]{Key: "k", LateTags: true}
	invalidate := func() { must(t, space.InvalidateTags(t.Context(), "late")) }
	lose := func() { must(t, space.rdb.Del(t.Context(), space.laneKey(0)).Err()) }
	if out := loadDuring(t, s, slot, func() { invalidate(); lose() }, anEntry("old", "late")); out != cache.Refused {
		t.Errorf("a load from before the invalidation is %v", out)
	}
	// The tag is known from the key now; another brings one that is not.
	slot.Key = "l"
	if out := loadDuring(t, s, slot, lose, anEntry("who knows", "later")); out != cache.Refused {
		t.Errorf("a load whose tail is lost is %v", out)
	}
}

func TestAnInvalidationDuringAQuarantineIsSeenByLoadsUnderIt(t *testing.T) {
	space, s := scriptStore(t)
	release, err := remote{space}.QuarantineTags(t.Context(), []string{"tag"}, 0)
	must(t, err)
	defer release(t.Context())
	slot := cache.Slot[string]{Key: "k", Tags: []string{"tag"}}
	if out := loadDuring(t, s, slot, func() {}, anEntry("a", "tag")); out != cache.Passed {
		t.Errorf("a load under a quarantine that nobody touched is %v", out)
	}
	other := func() { must(t, space.InvalidateTags(t.Context(), "tag")) }
	if out := loadDuring(t, s, slot, other, anEntry("a", "tag")); out != cache.Refused {
		t.Errorf("a load under a quarantine during which the tag was invalidated is %v", out)
	}
}

func TestAWriterWhoseQuarantineIsLostRemovesWhatWasStoredMeanwhile(t *testing.T) {
	space, s := scriptStore(t)
	f, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "k"})
	must(t, err)
	must(t, space.rdb.Del(t.Context(), s.key("k")).Err()) // evicted
	if out := loadDuring(t, s, cache.Slot[string]{Key: "k"}, func() {}, anEntry("old")); out != cache.Stored {
		t.Fatalf("the reader's value is %v", out)
	}
	if out, err := f.Commit(t.Context(), anEntry("new")); err != nil || out[0] != cache.Refused {
		t.Errorf("the writer's value is %v, %v", out, err)
	}
	if e, err := s.Get(t.Context(), "k"); e != nil || err != nil {
		t.Errorf("there is a value: %+v, %v", e, err)
	}
}

func TestAQuarantineEndsWithTheLastOfItsWriters(t *testing.T) {
	for _, first := range []int{0, 1} {
		_, s := scriptStore(t)
		slot := cache.Slot[string]{Key: "k"}
		var writers [2]cache.Fill[string]
		for i := range writers {
			var err error
			writers[i], err = s.Quarantine(t.Context(), slot)
			must(t, err)
		}
		must(t, writers[first].Cancel(t.Context()))
		if out := loadDuring(t, s, slot, func() {}, anEntry("old")); out != cache.Passed {
			t.Errorf("writer %d has left, the other is at work: a load is %v", first, out)
		}
		must(t, writers[1-first].Cancel(t.Context()))
		if out := loadDuring(t, s, slot, func() {}, anEntry("new")); out != cache.Stored {
			t.Errorf("both writers have left: a load is %v", out)
		}
		must(t, s.Invalidate(t.Context(), "k"))
	}
}

func TestABeatRenewsOnlyWhatHasCaughtUp(t *testing.T) {
	// Two processes that hear nothing; the first one beats all the same.
	space, _ := scriptStore(t)
	here, err := Open(t.Context(), redistest.Client(t), space.ns, &Options{NoBus: true, Timeout: 10 * time.Second})
	must(t, err)
	defer here.Close(t.Context())
	here.bus = &bus{space: here, client: here.rdb, timeout: 10 * time.Second, ctx: t.Context(), stop: func() {}}
	l := newLane(here, 0)
	l.beat(t.Context(), true)
	w := here.WatchKey(1)
	g, ok := w.Guard(nil)
	l.beat(t.Context(), true)
	if !ok || g.Trust(time.Now()) != cache.Valid {
		t.Fatal("what is in memory is gone although nothing was invalidated")
	}
	must(t, space.invalidateKeys(t.Context(), []string{"some key"}))
	l.beat(t.Context(), true)
	if g.Trust(time.Now()) != cache.Invalid {
		t.Error("a beat whose tail was not reached has left in memory what may be invalid")
	}
}

func TestALeaseIsDatedFromTheSendingOfItsBeat(t *testing.T) {
	space, err := Open(t.Context(), redistest.Client(t), "scripts."+t.Name(), &Options{Lease: time.Hour, Timeout: 10 * time.Second})
	must(t, err)
	defer space.Close(t.Context())
	l := space.bus.lanes[0]
	for !space.Status().Lanes[0].Subscribed { // which makes it beat once more
		must(t, l.fence(t.Context()))
	}
	var mu sync.Mutex
	var sending, sent time.Time // of the beat under way, and of the last one answered
	slow := redistest.Client(t)
	space.bus.client.AddHook(hook{
		before: func([]redis.Cmder) { sending = time.Now() },
		after: func([]redis.Cmder) {
			for time.Since(sending) < 5*time.Millisecond {
				slow.Ping(t.Context())
			}
			mu.Lock()
			sent = sending
			mu.Unlock()
		},
	})
	for range 2 {
		must(t, l.fence(t.Context()))
	}
	now := time.Now()
	until := now.Add(space.Status().Lanes[0].Remains)
	mu.Lock()
	defer mu.Unlock()
	if latest := sent.Add(time.Hour); until.After(latest) {
		t.Errorf("the lease ends %v after a lease from when the beat was sent", until.Sub(latest))
	}
}

func TestAMessageFollowsTheRemoval(t *testing.T) {
	space, err := Open(t.Context(), redistest.ClusterClient(t), "rules", &Options{NoBus: true, Timeout: 10 * time.Second})
	must(t, err)
	defer space.Close(t.Context())
	var mu sync.Mutex
	var order []string
	space.Client().AddHook(hook{after: func(cmds []redis.Cmder) {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range cmds {
			for name, script := range map[string]*script{"remove": removeScript, "quarantine": quarantineScript, "announce": announceScript} {
				if args := c.Args(); len(args) > 1 && (args[1] == script.sha || args[1] == script.src) {
					order = append(order, name)
				}
			}
		}
	}})
	s := New[string, string](space, "s", nil)
	must(t, s.Invalidate(t.Context(), "k"))
	if order = slices.Compact(order); !slices.Equal(order, []string{"remove", "announce"}) {
		t.Errorf("Invalidate: %v", order)
	}
	order = nil
	f, err := s.Quarantine(t.Context(), cache.Slot[string]{Key: "k"})
	must(t, err)
	if order = slices.Compact(order); !slices.Equal(order, []string{"quarantine", "announce"}) {
		t.Errorf("Quarantine: %v", order)
	}
	must(t, f.Cancel(t.Context()))
}

func TestAnInvalidationDuringAReadKeepsItOutOfMemory(t *testing.T) {
	space, s := scriptStore(t)
	stored := func() {
		if out := loadDuring(t, s, cache.Slot[string]{Key: "k"}, func() {}, anEntry("old")); out != cache.Stored {
			t.Fatalf("the value is %v", out)
		}
	}
	stored()
	var during func()
	space.Client().AddHook(hook{after: func(cmds []redis.Cmder) {
		if during != nil && cmds[0].Name() == "mget" {
			during()
		}
	}})
	for what, read := range map[string]func() (*cache.Entry[string], error){
		"Get": func() (*cache.Entry[string], error) { return s.Get(t.Context(), "k") },
		"GetMany": func() (*cache.Entry[string], error) {
			all, err := s.GetMany(t.Context(), []string{"k"})
			return all["k"], err
		},
	} {
		// The reply is here when the message of another process arrives.
		during = func() { space.control.ExpireKeys(invalidation.Hash(s.key("k"))) }
		e, err := read()
		during = nil
		if err != nil || e == nil {
			t.Fatalf("%s: %v, %v", what, e, err)
		}
		if e.Guard.Trust(time.Now()) != cache.Invalid {
			t.Errorf("%s: what was invalidated while its reply was on the way may be served from memory", what)
		}
	}
}
