package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// user is a value as applications cache it.
type user struct {
	ID       int64             `json:"id"`
	Name     string            `json:"name"`
	Email    string            `json:"email"`
	Created  time.Time         `json:"created"`
	Active   bool              `json:"active"`
	Balance  float64           `json:"balance"`
	Roles    []string          `json:"roles"`
	Settings map[string]string `json:"settings"`
	Address  *address          `json:"address,omitempty"`
	Secret   []byte            `json:"secret"`
	Logins   []login           `json:"logins"`
}

type address struct {
	Street string `json:"street"`
	City   string `json:"city"`
	Code   int    `json:"code"`
}

type login struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
}

var (
	names  = []string{"Ada", "Grace", "Edsger", "Barbara", "Donald", "Radia", "Leslie", "Tony"}
	roles  = []string{"reader", "writer", "admin", "billing", "support"}
	cities = []string{"Amsterdam", "Berlin", "Lisbon", "Oslo", "Vienna"}
)

// person returns a user; the same seed always gives the same.
func person(seed uint64) user {
	r := rand.New(rand.NewPCG(seed, 1))
	at := func() time.Time { return time.UnixMilli(1_700_000_000_000 + r.Int64N(1e10)).UTC() }
	name := names[r.IntN(len(names))]
	u := user{
		ID: r.Int64N(1e9), Name: name + " " + names[r.IntN(len(names))], Email: fmt.Sprintf("%s.%d@example.com", name, r.IntN(1e6)),
		Created: at(), Active: r.IntN(4) > 0, Balance: float64(r.IntN(1e6)) / 100,
		Roles:    roles[:1+r.IntN(3)],
		Settings: map[string]string{"theme": "dark", "language": "en", "timezone": "Europe/" + cities[r.IntN(len(cities))]},
		Address:  &address{fmt.Sprintf("%d Main Street", r.IntN(300)), cities[r.IntN(len(cities))], r.IntN(1e5)},
		Secret:   make([]byte, 32),
	}
	for i := range u.Secret {
		u.Secret[i] = byte(r.Uint32())
	}
	for range 3 {
		u.Logins = append(u.Logins, login{at(), fmt.Sprintf("10.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256))})
	}
	return u
}

func people(n int) []user {
	list := make([]user, n)
	for i := range list {
		list[i] = person(uint64(i))
	}
	return list
}
