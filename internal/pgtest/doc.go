// Package pgtest starts PostgreSQL for tests. Its own tests show what Larder promises
// of writes to it. It is a module of its own, since they need a driver.
package pgtest
