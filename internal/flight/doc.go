// Package flight shares calls: of those who want the same key at the same time,
// one goes to the origin for all.
//
// A Group keeps a call for each key that is on its way. A call goes in rounds,
// and a round has four phases:
//
//	gathering   until the work function departs
//	departed    until the result lands: the origin is being asked
//	landed      until it settles: the result is being stored
//	settled
//
// Whoever joins while a round gathers is early: the origin is asked after they
// came, so whatever it says is good for them, as soon as it lands. Whoever joins
// after departure is late: something may have been invalidated between
// departure and their coming, so they wait until the round settles, and have the
// result only if it is valid, that is if the store has vouched for it. Whoever
// comes after landing is early in the next round.
//
// Those who are late in a round that settles without being valid are carried
// into the next round, in which they are early. So nobody waits for more than
// two loads, and a Group has one load of a key at a time. An error of the load
// answers everybody in its round.
//
// Several keys may go together. They share a goroutine, the run, and the context
// of the load, which is cancelled when nobody waits for any of them.
package flight
