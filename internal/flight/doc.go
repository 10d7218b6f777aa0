// Package flight shares calls: of those who want the same key at the same time,
// one goes to the origin for all.
//
// A Group keeps a call for each key that is on its way. A call goes in rounds,
// and a round has four phases, which the work function announces:
//
//	gathering --Depart--> departed --Land--> landed --Settle--> settled
//
// While it gathers, nothing has been read. While it is departed, the store and
// the origin are being asked. While it is landed, the result is being stored.
// Where a caller gets in decides what the caller may have:
//
//	joins while       is         has its answer when
//	gathering         early      the round lands, whatever it yields
//	departed          late       the round settles, if it is valid;
//	                             otherwise early in the next round
//	landed, settled   early in the next round
//
// The reason: what the origin said after somebody asked is good for them. Those
// who are late may have asked after an invalidation that the origin's answer
// does not know of, so they can have it only if the store vouches that there was
// none. And it can vouch only for what came before it looked, so the round is
// sealed when it lands, before anything is sent to the store. An error is an
// answer like any other: "no rows" may be what the origin said before the row was
// written.
//
// All who are unsatisfied when a round settles are together in the next round,
// in which they are early. So nobody waits for more than two loads, and a key
// has one load at a time, also when there is no store to vouch for anything.
// The call ends with the first round after which nobody waits.
//
// Two things take a key out of the Group before its call ends, so that the next
// who wants it opens a new one: Forget, and that everybody has left, which
// cancels the load unless it has said that it wants to finish.
//
// Refresh opens a call for nobody: it goes on whether somebody joins it or not, for
// one round. So does the round of a caller who leaves for want of patience, with
// ErrPatience as the cause of the context, since what is loaded is still wanted.
//
// Several keys may go together. They share a goroutine, the run, and the context
// of the load, which is cancelled when nobody waits for any of them.
package flight
