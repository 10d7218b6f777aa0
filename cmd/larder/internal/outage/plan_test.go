package outage

import (
	"slices"
	"testing"
	"time"
)

func TestThePlanHasEachFaultOnceAndFillsTheTime(t *testing.T) {
	for _, c := range []Config{Default(), {Time: 12 * time.Second, Faults: Faults()}, {Time: 3 * time.Second, Faults: []string{"slow"}}} {
		p, err := c.plan()
		if err != nil || c.Check() != nil {
			t.Fatalf("%v, %v", err, c.Check())
		}
		var names []string
		for _, f := range p.faults {
			names = append(names, f.name)
		}
		slices.Sort(names)
		if want := slices.Sorted(slices.Values(c.Faults)); !slices.Equal(names, want) {
			t.Errorf("the faults are %v, not %v", names, want)
		}
		if took := p.warmUp + time.Duration(len(p.faults))*(p.fault+p.healthy); took > c.Time || took < c.Time-time.Microsecond {
			t.Errorf("it takes %v, not %v", took, c.Time)
		}
		if p.fault < leastFault || p.healthy <= 0 || p.warmUp <= 0 {
			t.Errorf("%+v", p)
		}
	}
}

func TestTheSeedDecidesTheOrder(t *testing.T) {
	order := func(seed uint64) (names string) {
		c := Default()
		c.Seed = seed
		p, err := c.plan()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range p.faults {
			names += f.name + " "
		}
		return names
	}
	if order(1) != order(1) || order(1) == order(2) {
		t.Errorf("with one seed %q and %q, with another %q", order(1), order(1), order(2))
	}
}

func TestAPlanThatCannotBeIsAnError(t *testing.T) {
	for what, change := range map[string]func(*Config){
		"too short":        func(c *Config) { c.Time = 10 * time.Second },
		"no faults":        func(c *Config) { c.Faults = nil },
		"an unknown fault": func(c *Config) { c.Faults = []string{"bored"} },
	} {
		c := Default()
		change(&c)
		if c.Check() == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

func TestEveryKeyIsInAGroupAndPopularOnesInDifferentOnes(t *testing.T) {
	c := Config{Keys: 1001}
	groups := map[string]int{}
	for k := range uint64(1001) {
		if groups[c.tag(k)]++; k < 100 && groups[c.tag(k)] > 1 {
			t.Errorf("the key %d shares a group with one that is as popular", k)
		}
	}
	if len(groups) != int(c.groups()) {
		t.Errorf("there are %d groups, not %d", len(groups), c.groups())
	}
}
