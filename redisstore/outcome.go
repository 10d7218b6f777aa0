package redisstore

import (
	"cmp"
	"errors"

	"github.com/larder-cache/larder/cache"
)

// Why a value is not stored, in the events cache.FillRefused.
var (
	errTokenGone   = errors.New("larder: the fill token is gone: since Reserve the key was invalidated, written or stored by others, or Redis has evicted or expired the token")
	errInvalidated = errors.New("larder: since Reserve a tag of the entry, or the whole space, was invalidated, or Redis has evicted its version")
	errLateTag     = errors.New("larder: the entry has a tag that was not known before the load, and whether it was invalidated since cannot be told")
	errOtherWriter = errors.New("larder: another writer held the key at the same time, or the key was invalidated")
	errPast        = errors.New("larder: the entry is past its time")
	errNoKey       = errors.New("larder: the key has no text")
)

// report tells what has become of entries, and of those that are refused why.
func (f *fill[K, V]) report(entries []*cache.Entry[V], outcomes []cache.Outcome, err error) {
	for i, o := range outcomes {
		switch {
		case entries[i] == nil:
		case o == cache.Stored:
			f.store.observe(cache.FillStored, nil)
		case o == cache.Passed:
			f.store.observe(cache.FillPassed, nil)
		case o == cache.Vouched: // EncodeFailed has told of it
		case f.slots[i].lost == nil && f.slots[i].key == "":
			f.store.observe(cache.FillRefused, errNoKey)
		default:
			f.store.observe(cache.FillRefused, cmp.Or(f.slots[i].lost, err))
		}
	}
}

// refusal returns why something was not stored, nil if it was: what the script says of its
// key, and whether the versions that it depends on are the same.
func (f *fill[K, V]) refusal(done int64, err error, same bool) error {
	switch {
	case done == notDone:
		return cmp.Or(err, errUnavailable)
	case done != 1 && f.writer != "":
		return errOtherWriter
	case done != 1:
		return errTokenGone
	case !same && err != nil:
		return err
	case !same:
		return errInvalidated
	}
	return nil
}
