package redisstore

import (
	"encoding/binary"
	"time"

	"github.com/larder-cache/larder/cache"
)

// at writes the moments of an entry, which are of this process, by the clock of the
// key's lane, which is ahead of ours. now is when it is sent.
func (e *envelope) at(now, fresh, expires, loaded cache.Moment, ahead time.Duration) {
	e.sent, e.fresh, e.expires = now.Add(ahead), fresh.Add(ahead), expires.Add(ahead)
	if loaded > 0 {
		e.loaded = loaded.Add(ahead)
	}
}

// moments returns until when an entry that is read now is fresh, when it expires, and
// when it was loaded, 0 if that is not known, by the clock of this process.
//
// What an earlier program has stored has the moments of its own clock, which says
// nothing here. But the nonce says when it was stored by the server's clock, and a value
// is stored as soon as it is loaded; so that is taken for when it was loaded. If it does
// not say that, its clock is taken for the server's.
//
// Nothing was sent after it was read: if it seems so, too little is known of the lane's
// clock, as for a moment after the server's was set, and it is taken for sent just now.
// So nobody keeps an entry for longer than it was to live in all.
func (e *envelope) moments(now cache.Moment, ahead time.Duration) (fresh, expires, loaded cache.Moment) {
	sent, shift := e.sent, -ahead
	if sent == 0 && e.loaded > 0 {
		sent = e.loaded
		shift = e.stored().Add(-ahead).Sub(e.loaded)
	}
	if sent > 0 {
		shift = min(shift, now.Sub(sent))
	}
	if e.loaded > 0 {
		loaded = max(e.loaded.Add(shift), 1)
	}
	return e.fresh.Add(shift), e.expires.Add(shift), loaded
}

// stored returns when the value was stored, by the server's clock.
func (e *envelope) stored() cache.Moment {
	return cache.Moment(binary.BigEndian.Uint64(bytesOf(e.header[1:9])) / 1000)
}
