package invalidation

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestAPolicyIsReadFromJSON(t *testing.T) {
	stale := Resilient(5 * time.Minute)
	stale.Stale = time.Hour
	off := Resilient(time.Minute)
	off.Early, off.IfError = 0, 0
	for text, want := range map[string]Policy{
		`{}`:              {},
		`{"fresh": "5m"}`: {Fresh: 5 * time.Minute},
		` {"fresh":"0"} `: {},
		`{"fresh": "0s"}`: {},
		`{"fresh": "5m", "stale": "1h30m", "ifError": "forever", "negative": "10s", "jitter": 0.25, "backoff": "1s", "ahead": 0.8}`: {Fresh: 5 * time.Minute,
			Stale: 90 * time.Minute, IfError: Forever, Negative: 10 * time.Second, Jitter: 0.25, Backoff: time.Second, Ahead: 0.8},
		`{"preset": "ttl", "fresh": "1h"}`:                                    TTL(time.Hour),
		`{"fresh": "1h", "preset": "strict"}`:                                 Strict(time.Hour),
		`{"preset": "resilient", "fresh": "5m", "stale": "1h"}`:               stale,
		`{"preset": "resilient", "fresh": "1m", "early": 0, "ifError": "0s"}`: off,
	} {
		p := Policy{Fresh: 1, Stale: 2, Early: 3} // nothing of it stays
		if err := json.Unmarshal([]byte(text), &p); err != nil || p != want {
			t.Errorf("%s is %+v, %v; want %+v", text, p, err, want)
		}
	}
	var config struct{ Users, Orders Policy }
	if err := json.Unmarshal([]byte(`{"Users": {"fresh": "5m"}, "Orders": null}`), &config); err != nil || config.Users.Fresh != 5*time.Minute {
		t.Errorf("as a part of a configuration: %+v, %v", config, err)
	}
}

func TestErrorsInJSONNameTheField(t *testing.T) {
	for text, want := range map[string][]string{
		`{"frsh": "5m"}`:                                    {`"frsh"`},
		`{"Fresh": "5m"}`:                                   {`"Fresh"`},
		`{"fresh": "5"}`:                                    {"fresh", `"5"`},
		`{"fresh": 300}`:                                    {"fresh", "duration"},
		`{"fresh": null}`:                                   {"fresh"},
		`{"fresh": "-5m"}`:                                  {"fresh", "-5m"},
		`{"fresh": "5m", "jitter": "0.1"}`:                  {"jitter", "number"},
		`{"fresh": "5m", "jitter": 1.5}`:                    {"jitter", "1.5"},
		`{"fresh": "5m", "jitter": 1e999}`:                  {"jitter"},
		`{"fresh": "5m", "fresh": "6m"}`:                    {"fresh", "twice"},
		`{"stale": "1h"}`:                                   {"stale", "fresh"},
		`{"ifError": "1h"}`:                                 {"ifError", "fresh"},
		`{"fresh": "1h", "early": 1, "ahead": .5}`:          {"invalid character"},
		`{"fresh": "1h", "early":1, "ahead": 0.5}`:          {"early", "ahead"},
		`{"preset": "resilient"}`:                           {"preset", "fresh"},
		`{"preset": "resilient", "fresh": "0"}`:             {"fresh"},
		`{"preset": "ttl", "fresh": "0"}`:                   {"preset", "fresh"},
		`{"preset": "fast", "fresh": "5m"}`:                 {"preset", `"fast"`, "resilient"},
		`{"preset": "", "fresh": "5m"}`:                     {"preset"},
		`{"preset": 1, "fresh": "5m"}`:                      {"preset"},
		`{"preset": "strict", "fresh": "5m", "ahead": 0.5}`: {"early", "ahead"},
		`"5m"`: {"object"},
		`[]`:   {"object"},
	} {
		p := TTL(time.Minute)
		err := json.Unmarshal([]byte(text), &p)
		if err == nil {
			t.Errorf("%s is %+v", text, p)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v does not name %s", text, err, w)
			}
		}
		if p != TTL(time.Minute) {
			t.Errorf("%s: the error leaves %+v", text, p)
		}
	}
	for _, text := range []string{``, `{`, `{"fresh": "5m"} {}`, `{"fresh": "5m"}}`, `{"fresh"`, `{"fresh": "5m",`} {
		var p Policy
		if err := p.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s is %+v", text, p)
		}
	}
}

func TestPoliciesAreWrittenToBeRead(t *testing.T) {
	for _, c := range []struct {
		p    Policy
		want string
	}{
		{Policy{}, `{}`},
		{TTL(5 * time.Minute), `{"fresh":"5m","jitter":0.1}`},
		{Policy{Fresh: 90 * time.Minute, Stale: 48 * time.Hour, IfError: Forever}, `{"fresh":"1h30m","stale":"48h","ifError":"forever"}`},
		{Policy{Fresh: time.Hour + time.Second, Negative: 1500 * time.Microsecond}, `{"fresh":"1h0m1s","negative":"1.5ms"}`},
		{Policy{Fresh: 10 * time.Second, Ahead: 0.8, Backoff: 100 * time.Millisecond}, `{"fresh":"10s","backoff":"100ms","ahead":0.8}`},
	} {
		if b, err := json.Marshal(c.p); err != nil || string(b) != c.want {
			t.Errorf("%+v is %s, %v; want %s", c.p, b, err, c.want)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	duration := func() time.Duration {
		return []time.Duration{0, Forever, time.Millisecond, time.Duration(1+r.IntN(100)) * time.Minute, time.Hour, time.Millisecond + time.Duration(r.Int64N(int64(time.Hour)))}[r.IntN(6)]
	}
	valid := 0
	for range 20_000 {
		p := Policy{Fresh: duration(), Stale: duration(), IfError: duration(), Negative: duration(), Backoff: duration(), Jitter: r.Float64()}
		if r.IntN(2) == 0 {
			p.Early = 100 * r.Float64()
		} else {
			p.Ahead = r.Float64()
		}
		if p.Validate() != nil {
			continue
		}
		valid++
		b, err := json.Marshal(p)
		var q Policy
		if err1 := json.Unmarshal(b, &q); err != nil || err1 != nil || q != p {
			t.Fatalf("%+v is written as %s, %v and read as %+v, %v", p, b, err, q, err1)
		}
	}
	if valid < 5000 {
		t.Errorf("only %d policies made sense", valid)
	}
}

func TestAPolicyIsReadFromTheEnvironment(t *testing.T) {
	t.Setenv("LARDER_TEST_USERS_PRESET", "resilient")
	t.Setenv("LARDER_TEST_USERS_FRESH", "5m")
	t.Setenv("LARDER_TEST_USERS_STALE", " 1h ")
	t.Setenv("LARDER_TEST_USERS_IF_ERROR", "forever")
	t.Setenv("LARDER_TEST_USERS_EARLY", "0")
	t.Setenv("LARDER_TEST_USERS_AHEAD", "0.75")
	t.Setenv("LARDER_TEST_USERS_NEGATIVE", "")
	t.Setenv("LARDER_TEST_USERS_ADMIN_FRESH", "nonsense")
	want := Resilient(5 * time.Minute)
	want.Stale, want.IfError, want.Early, want.Ahead = time.Hour, Forever, 0, 0.75
	if p, err := PolicyFromEnv("LARDER_TEST_USERS"); err != nil || p != want {
		t.Errorf("it is %+v, %v; want %+v", p, err, want)
	}
	all := map[string]string{"P_FRESH": "1s", "P_STALE": "2s", "P_IF_ERROR": "3s", "P_NEGATIVE": "4s", "P_JITTER": "0.5", "P_BACKOFF": "6s", "P_EARLY": "7"}
	if p, err := policyFrom("P", func(name string) string { return all[name] }); err != nil || p != (Policy{time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second, 0.5, 6 * time.Second, 7, 0}) {
		t.Errorf("it is %+v, %v", p, err)
	}
	if p, err := policyFrom("P", func(name string) string { return map[string]string{"P_FRESH": "0"}[name] }); err != nil || p != (Policy{}) {
		t.Errorf("nothing that is asked for is %+v, %v", p, err)
	}
}

func TestErrorsInTheEnvironmentNameTheVariable(t *testing.T) {
	for _, c := range []struct {
		set  map[string]string
		want []string
	}{
		{nil, []string{"P_FRESH", "P_PRESET"}},
		{map[string]string{"P_FRESH": "five"}, []string{"P_FRESH", "five"}},
		{map[string]string{"P_FRESH": "5m", "P_JITTER": "ten"}, []string{"P_JITTER", "ten"}},
		{map[string]string{"P_FRESH": "5m", "P_JITTER": "NaN"}, []string{"P_JITTER", "NaN"}},
		{map[string]string{"P_STALE": "5m"}, []string{"P_STALE", "P_FRESH"}},
		{map[string]string{"P_PRESET": "strict"}, []string{"P_PRESET", "P_FRESH"}},
		{map[string]string{"P_PRESET": "best", "P_FRESH": "5m"}, []string{"P_PRESET", "best"}},
		{map[string]string{"P_PRESET": "strict", "P_FRESH": "5m", "P_AHEAD": "0.5"}, []string{"P_EARLY", "P_AHEAD"}},
		{map[string]string{"P_PRESET": "ttl", "P_FRESH": "-1s"}, []string{"P_FRESH", "-1s"}},
	} {
		p, err := policyFrom("P", func(name string) string { return c.set[name] })
		for _, w := range c.want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%v is %+v, %v, which does not name %s", c.set, p, err, w)
			}
		}
		if p != (Policy{}) {
			t.Errorf("%v: %v beside %+v", c.set, err, p)
		}
	}
}

func FuzzPolicyJSON(f *testing.F) {
	f.Add([]byte(`{"preset": "resilient", "fresh": "5m", "stale": "1h"}`))
	f.Add([]byte(`{"fresh": "forever", "jitter": 1, "early": 1e2, "negative": "1.5ms"}`))
	f.Add([]byte(`{"fresh": "5m", "fresh": "6m"}`))
	f.Add([]byte(`{"ahead": 0.5}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p, q Policy
		if err := p.UnmarshalJSON(b); err != nil {
			if p != (Policy{}) {
				t.Fatalf("%q is an error and %+v", b, p)
			}
			return
		}
		again, err := json.Marshal(p)
		if err != nil {
			t.Fatalf("%q is read as %+v, which is not written: %v", b, p, err)
		}
		if err := json.Unmarshal(again, &q); err != nil || q != p {
			t.Fatalf("%q is read as %+v, written as %s, and read as %+v, %v", b, p, again, q, err)
		}
	})
}

func FuzzPolicyFromEnv(f *testing.F) {
	f.Add("resilient", "5m", "1h", "", "", "0.5", "", "", "")
	f.Add("", "forever", "0", "1ns", "-1s", "NaN", "1s", "1e2", "0x1p-1")
	f.Add("strict", "", "", "", "", "", "", "", "0.5")
	f.Fuzz(func(t *testing.T, preset, fresh, stale, ifError, negative, jitter, backoff, early, ahead string) {
		set := map[string]string{"P_PRESET": preset, "P_FRESH": fresh, "P_STALE": stale, "P_IF_ERROR": ifError, "P_NEGATIVE": negative,
			"P_JITTER": jitter, "P_BACKOFF": backoff, "P_EARLY": early, "P_AHEAD": ahead}
		p, err := policyFrom("P", func(name string) string { return set[name] })
		switch {
		case err == nil && p.Validate() != nil:
			t.Fatalf("%q is %+v: %v", set, p, p.Validate())
		case err != nil && (p != (Policy{}) || !strings.Contains(err.Error(), "P_")):
			t.Fatalf("%q is %+v, %v", set, p, err)
		}
	})
}
